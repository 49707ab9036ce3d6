"""Where the third-party recordings lie, for tests that run against what nobody here made."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"

needs_shared_data = pytest.mark.skipif(
    not SHARED_DATA.is_dir(), reason="third-party recordings are not beside this checkout (../shared/data)"
)


def psog_nn(name: str) -> Path:
    """A rendered photosensor file, e.g. "calib_062217"."""
    return SHARED_DATA / "psog_nn" / f"{name}_grid15.csv"


def gaze_trace(number: int) -> Path:
    """One of the four EyeLink traces, 1 to 4."""
    return SHARED_DATA / "gaze_traces" / f"lookAtPoint_EL_S{number}.npy"
