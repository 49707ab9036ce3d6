"""Fixations and saccades of a recording, by pymovements (pip install pymovements).

    python examples/events_offline.py RECORDING

RECORDING is a folder of `psog record` or `psog simulate`. Prints a line of CSV for each event: name, onset
and offset in milliseconds since the beginning, duration. Velocity is smoothed over 25 ms; fixations are found
by I-VT with 30°/s and at least 60 ms (Olsen 2012), saccades as Engbert & Kliegl 2003 do, with λ = 6 and at
least 10 ms. psog.live.events does both at once, while they happen.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pymovements

from psog.errors import PsogError
from psog.recording import GAZE, read_recording


def events_of(folder: Path) -> list[tuple[str, int, int, int]]:
    """Name, onset, offset and duration in milliseconds of every event, by onset.

    Raises:
        PsogError: that is no recording, or it has no gaze.
    """
    recording = read_recording(folder)
    missing = [name for name in GAZE if name not in recording.columns]
    if missing:
        raise PsogError(f"{folder} has no gaze ({', '.join(missing)}); record with psog record")
    time_ms = np.rint((recording.t_us - recording.t_us[0]) / 1000).astype(np.int64)
    gaze_deg = np.stack([recording.columns[name] for name in GAZE]).astype(np.float64)
    if "valid" in recording.columns:
        gaze_deg[:, ~recording.columns["valid"].astype(bool)] = np.nan
    rate_hz = 1000 / float(np.median(np.diff(time_ms)))
    window = 2 * round(0.0125 * rate_hz) + 1
    gaze = pymovements.gaze.from_numpy(
        time=time_ms,
        time_unit="ms",
        position=gaze_deg,
        experiment=pymovements.Experiment(sampling_rate=rate_hz),
    )
    gaze.pos2vel("savitzky_golay", window_length=window, degree=2)
    gaze.detect("ivt", velocity_threshold=30.0, minimum_duration=60)
    gaze.detect("microsaccades", threshold_factor=6, minimum_duration=10)
    table = gaze.events.frame.sort("onset")
    return list(
        zip(*(table[name].to_list() for name in ("name", "onset", "offset", "duration")), strict=True)
    )


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/events_offline.py RECORDING")
    try:
        found = events_of(Path(sys.argv[1]))
    except PsogError as error:
        sys.exit(f"events_offline: {error}")
    print("name,onset_ms,offset_ms,duration_ms")
    for event in found:
        print(",".join(map(str, event)))


if __name__ == "__main__":
    main()
