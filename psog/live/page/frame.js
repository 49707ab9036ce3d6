// Reads what psog/live/view_frame.py packs.

const HEADER_BYTES = 32;

/** The readings of one frame as typed arrays; `sensors` readings follow each other in `readings`. */
export function unpack(buffer) {
  const header = new DataView(buffer, 0, HEADER_BYTES);
  const n = header.getUint32(0, true);
  const sensors = header.getUint32(4, true);
  let offset = HEADER_BYTES;
  const column = (Type, count) => {
    const array = new Type(buffer, offset, count);
    offset += array.byteLength;
    return array;
  };
  return {
    n,
    sensors,
    number: header.getUint32(8, true),
    first_t_us: header.getFloat64(16, true),
    last_host_time_s: header.getFloat64(24, true),
    gaze_deg: column(Float32Array, 2 * n),
    openness: column(Float32Array, n),
    expected_error_deg: column(Float32Array, n),
    since_first_us: column(Uint32Array, n),
    readings: column(Uint16Array, n * sensors),
    flags: column(Uint8Array, n),
  };
}

/** psog.device.messages.GazeFlag. */
export const Flag = { VALID: 1, CALIBRATED: 2, SATURATED: 4, STILL: 8 };
