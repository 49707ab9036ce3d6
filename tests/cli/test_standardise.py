"""`psog standardise` on a virtual headset: measured, applied, forgotten; refused where it would do harm."""

import json
from pathlib import Path

import numpy as np
import pytest

from psog.cli.main import main
from psog.cli.shift_watch import shift_watch
from psog.device.calibration_record import Calibration
from psog.device.client import open_headset
from psog.firmware_export.image import load_image
from psog.firmware_export.image_format import told_sizes
from psog.firmware_export.toolchain import available_boards
from psog.headset import load_headset
from psog.recording import Recording, write_recording
from psog.virtual.headset import VirtualHeadset
from psog.virtual.wearer import Wearer

pytestmark = pytest.mark.skipif("host" not in available_boards(), reason="no C compiler is installed")

RING16 = load_headset("ring16")
COUNTS = np.linspace(400, 2400, 16)
"""What the sensors are to read, on the average."""


def told(capsys, *words: str) -> dict:
    main(["standardise", *words, "--json"])
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def recording(tmp_path) -> Path:
    readings = np.repeat(COUNTS[None], 10, axis=0).astype(np.float32)
    write_recording(Recording("ring16", np.arange(10) * 1000, readings, {}), tmp_path / "like")
    return tmp_path / "like"


def test_a_worn_headset_is_standardised_and_forgets_it(capsys, recording):
    image = load_image(Path("ring16"))
    with VirtualHeadset("host", Wearer(RING16, 1000), image=image) as virtual:
        where = ["--port", virtual.port]
        found = told(capsys, *where, "--seconds", "0.5", "--like", str(recording))
        assert (found["samples"], found["standardised"], found["was_calibrated"]) == (500, True, False)
        assert found["unchanged"] == [] and len(found["gains"]) == 16
        with open_headset(virtual.port) as headset:
            nobody = np.zeros((2, headset.info.features + 1), np.float32)
            biases = np.zeros(told_sizes(image)[1], np.int32)
            assert shift_watch(headset) is None  # it does not say how it sees its sensors
            headset.write_calibration(Calibration(headset.info.model_crc32, nobody, biases))
            assert not headset.info.standardised  # that one was made without
            assert shift_watch(headset) is not None
            pairs = np.repeat([[30_000, 5_000]], 16, axis=0).astype(np.int32)
            headset.write_calibration(Calibration(headset.info.model_crc32, nobody, biases, pairs, 14))
            watch = shift_watch(headset)
            assert watch is not None and watch._net.normalisation.shift == 14
            headset.write_calibration(Calibration(headset.info.model_crc32, nobody, biases))
        with pytest.raises(SystemExit, match=r"has a user's calibration, .* then give --force"):
            main(["standardise", *where, "--seconds", "0.1"])
        assert told(capsys, *where, "--forget")["was_calibrated"]  # there is nothing to forget
        main(["standardise", *where, "--seconds", "0.1", "--like", str(recording), "--force"])
        assert "calibrate now, with psog-calibrate; the one before is gone" in capsys.readouterr().out
        main(["standardise", *where, "--forget"])
        assert "seen as the model has it" in capsys.readouterr().out
        with open_headset(virtual.port) as headset:
            assert not headset.info.standardised and not headset.info.calibrated


def test_what_cannot_be_is_one_line(recording, tmp_path):
    empty = VirtualHeadset("host", Wearer(RING16, 1000), paused=True)
    with empty as virtual, pytest.raises(SystemExit, match="has no model; send one with psog flash"):
        main(["standardise", "--port", virtual.port])
    with VirtualHeadset(
        "host", Wearer(RING16, 1000), image=load_image(Path("ring16")), paused=True
    ) as virtual:
        for words, why in (
            (["--seconds", "66"], r"expected one reading to 65,535, which are 65\.535 s of ring16"),
            (["--seconds", "nan"], "expected one reading"),
            (["--seconds", "1", "--like", str(tmp_path)], "manifest"),
            (["--seconds", "1", "--like", str(recording)], "no reading that counts for 3 s: there is none"),
        ):
            with pytest.raises(SystemExit, match=why):
                main(["standardise", "--port", virtual.port, *words])
        with open_headset(virtual.port) as headset:
            assert not headset.info.standardised
