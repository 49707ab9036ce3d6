// The last seconds of readings, oldest first, in arrays that are written round and round.

export class History {
  /** @param capacity readings that are kept. */
  constructor(capacity, sensors) {
    this.capacity = capacity;
    this.sensors = sensors;
    this.t_us = new Float64Array(capacity);
    this.h_deg = new Float32Array(capacity);
    this.v_deg = new Float32Array(capacity);
    this.openness = new Float32Array(capacity);
    this.expected_error_deg = new Float32Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.readings = new Uint16Array(sensors); // of the newest only
    this.clear();
  }

  clear() {
    this.count = 0;
    this.next = 0;
  }

  /** Adds the readings of a frame; a device that has started anew counts its time from 0, so the rest goes. */
  add(frame) {
    if (this.count && frame.first_t_us < this.newest_t_us) this.clear();
    for (let i = 0; i < frame.n; i += 1) {
      const at = this.next;
      this.t_us[at] = frame.first_t_us + frame.since_first_us[i];
      this.h_deg[at] = frame.gaze_deg[2 * i];
      this.v_deg[at] = frame.gaze_deg[2 * i + 1];
      this.openness[at] = frame.openness[i];
      this.expected_error_deg[at] = frame.expected_error_deg[i];
      this.flags[at] = frame.flags[i];
      this.next = (at + 1) % this.capacity;
    }
    this.count = Math.min(this.count + frame.n, this.capacity);
    if (frame.sensors === this.sensors && frame.n) {
      this.readings.set(frame.readings.subarray((frame.n - 1) * frame.sensors));
    }
  }

  /** Where the reading stands that came `back` readings before the newest. */
  place(back) {
    return (this.next - 1 - back + 2 * this.capacity) % this.capacity;
  }

  get newest_t_us() {
    return this.t_us[this.place(0)];
  }

  /** How many of the newest readings are not older than this, by the device's clock. */
  since(t_us) {
    let [fewest, most] = [0, this.count];
    while (fewest < most) {
      const middle = (fewest + most) >> 1;
      if (this.t_us[this.place(middle)] >= t_us) fewest = middle + 1;
      else most = middle;
    }
    return fewest;
  }
}
