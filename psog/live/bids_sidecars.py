"""What a BIDS dataset of ours says in words: sidecars, description, README."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from psog import __version__
from psog.manifest import Manifest

BIDS_VERSION = "1.11.1"
_WHERE = (
    "in the axes of the headset, which sits on the head: Fick angles from straight ahead, right and up "
    "positive for the wearer"
)
_COLUMNS = {
    "timestamp": {
        "LongName": "Time of the reading",
        "Description": "Time by the clock of the headset, increasing; what was lost on the way is missing",
        "Units": "us",
        "Origin": "System startup",
    },
    "x_coordinate": {
        "LongName": "Gaze, horizontal",
        "Description": f"Direction of the line of sight {_WHERE}",
        "Units": "deg",
    },
    "y_coordinate": {
        "LongName": "Gaze, vertical",
        "Description": f"Direction of the line of sight {_WHERE}",
        "Units": "deg",
    },
    "pupil_size": {"LongName": "Pupil", "Description": "diameter of the pupil", "Units": "mm"},
    "openness": {
        "LongName": "Openness of the lids",
        "Description": "0 closed, 1 as open as the direction of gaze asks for; an estimate may lie outside",
    },
    "expected_error": {
        "LongName": "Expected error",
        "Description": "How far off the headset expected its gaze to be",
        "Units": "deg",
    },
    "valid": {
        "LongName": "Validity",
        "Description": "Whether the gaze can be trusted",
        "Levels": {"0": "the lids were closing or closed, or too much light fell in", "1": "it can"},
    },
}


def readings(manifest: Manifest, eye: str, rate_hz: float, columns: Sequence[str]) -> dict[str, Any]:
    """Sidecar of a table of gaze.

    Args:
        rate_hz: of the readings, where none is lost.
    """
    device = manifest.provenance.get("device")
    known = device if isinstance(device, dict) else {}
    sidecar = {
        "PhysioType": "eyetrack",
        "RecordedEye": eye,
        "SampleCoordinateSystem": "eye-in-head",
        "SamplingFrequency": round(rate_hz, 3),
        "StartTime": 0,
        "Columns": list(columns),
        "Manufacturer": "psog",
        "ManufacturersModelName": manifest.headset,
        "SoftwareVersions": f"psog {__version__}",
        "EyeTrackingMethod": "photosensor oculography",
        "RawDataFilters": "none",
    }
    if not manifest.estimated:
        sidecar["Description"] = "Simulated or otherwise known gaze, not the estimate of an eye tracker"
    if "calibrated" in known:
        sidecar["CalibrationCount"] = int(bool(known["calibrated"]))
    return {**sidecar, **{name: _COLUMNS[name] for name in columns}}


def events(manifest: Manifest) -> dict[str, Any]:
    """Sidecar of a table of events."""
    found = "found while recording, by psog's detector" if manifest.estimated else "as simulated or labelled"
    return {
        "Columns": ["onset", "duration", "trial_type"],
        "Description": f"Eye movements, {found}",
        "OnsetSource": "timestamp",
        "onset": {"Description": "First reading of the movement, as in the column timestamp", "Units": "us"},
        "duration": {"Description": "To the end of its last reading", "Units": "s"},
        "trial_type": {
            "Description": "What the eye did",
            "Levels": {
                "fixation": "it rested on a place",
                "saccade": "it jumped to another",
                "oscillation": "it swung after a jump",
                "pursuit": "it moved smoothly",
                "blink": "it was closed",
            },
        },
    }


def dataset(task: str) -> dict[str, str]:
    """The files of a new dataset besides its table of participants, by name."""
    description = {
        "Name": f"Gaze during {task}",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "psog", "Version": __version__}],
    }
    participants = {"participant_id": {"Description": "Whose gaze it is; the label of the folder"}}
    return {
        "dataset_description.json": json.dumps(description, indent=2) + "\n",
        "participants.json": json.dumps(participants, indent=2) + "\n",
        "README.md": (
            f"# Gaze during {task}\n\n"
            "Eye tracking by photosensor oculography: a few infrared sensors around the eye and a small "
            f"network on the headset. Converted by psog {__version__}. Say here what people did and saw, who "
            "they were, who may use the data, and whom to cite.\n"
        ),
    }
