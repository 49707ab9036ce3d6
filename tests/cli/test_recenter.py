"""`psog recenter` on a virtual headset: measured, set right, and refused where it would do no good."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from psog.benchmarks import recenter
from psog.benchmarks.recenter_wearers import calibration_looks
from psog.calibration.looks import Look
from psog.calibration.profiles import Profile, profile_path, write_profile
from psog.cli.main import main
from psog.cli.recenter import EXIT_CALIBRATE, EXIT_RECENTER
from psog.device.calibration_record import Calibration
from psog.device.client import open_headset
from psog.firmware_export.image import load_image
from psog.firmware_export.toolchain import available_boards
from psog.headset import load_headset
from psog.net.calibrated import calibrated, int8_features
from psog.net.embedding import personal
from psog.net.shipped import model_place
from psog.net.store import load_model
from psog.virtual.headset import VirtualHeadset
from psog.virtual.wearer import Wearer

pytestmark = pytest.mark.skipif("host" not in available_boards(), reason="no C compiler is installed")

SEED = 1000
RING16 = Path("ring16")


def calibration_of(wearer_seed: int, model_crc32: int) -> Calibration:
    """What the device would find of a wearer, from a twin of the one who wears it."""
    net, headset = load_model(RING16).net, load_headset("ring16")
    wire, target_deg = calibration_looks(headset, wearer_seed)
    biases = np.concatenate([layer.bias for layer in personal(net, wire, target_deg).layers])
    head = calibrated(net, int8_features, wire, target_deg).head
    return Calibration(model_crc32, head.astype(np.float32), biases.astype(np.int32))


def recentring(capsys, *words: str) -> tuple[int, dict]:
    code = 0
    try:
        main(["recenter", *words, "--json"])
    except SystemExit as end:
        code = end.code
    told = capsys.readouterr().out
    assert told, code
    return code, json.loads(told)


def test_a_look_at_the_dot_sets_right_what_a_slip_has_moved(capsys, tmp_path):
    wearer = Wearer(load_headset("ring16"), SEED)
    with VirtualHeadset("host", wearer, image=load_image(RING16)) as virtual:
        with pytest.raises(SystemExit, match=r"^psog recenter: .* is not calibrated, .*psog-calibrate"):
            main(["recenter", "--port", virtual.port])
        with open_headset(virtual.port) as headset:
            own = calibration_of(SEED, headset.info.model_crc32)
            headset.write_calibration(own)
        code, told = recentring(capsys, "--port", virtual.port, "--check")
        assert (code, told["advice"], told["recentred"], told["after_deg"]) == (0, "nothing", False, None)

        wearer.slip(4.0)
        code, told = recentring(capsys, "--port", virtual.port, "--check")
        assert (code, told["advice"]) == (EXIT_RECENTER, "recenter")
        code, told = recentring(capsys, "--port", virtual.port)
        assert (code, told["recentred"]) == (0, True)
        assert max(told["after_deg"], told["expected_deg"]) < 0.6 * told["before_deg"]
        with open_headset(virtual.port) as headset:
            now = headset.read_calibration()
            np.testing.assert_array_equal(now.biases, own.biases)
            away = Calibration(now.model_crc32, now.head + np.float32([[0] * 32 + [30]] * 2), now.biases)
            headset.write_calibration(away)
        code, told = recentring(capsys, "--port", virtual.port, "--check")
        assert (code, told["advice"]) == (EXIT_CALIBRATE, "calibrate")
        with pytest.raises(SystemExit, match=r"not recentred: .* psog-calibrate"):
            main(["recenter", "--port", virtual.port])
        with open_headset(virtual.port) as headset:
            assert headset.read_calibration() == away

        shutil.copytree(model_place(RING16), tmp_path / "mine", ignore=lambda *_: ["recovery.safetensors"])
        for words, why in (
            (["--model", str(tmp_path / "mine")], "learn it with psog recovery"),
            (["--model", "grid15"], "install this one with psog flash"),
            (["--h-deg", "45"], "outside the field"),
            (["--v-deg", "nan"], "outside the field"),
        ):
            with pytest.raises(SystemExit, match=rf"^psog recenter: [^\n]*{why}"):
                main(["recenter", "--port", virtual.port, *words])


def test_a_check_with_a_profile_tells_how_far_the_headset_has_moved(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("PSOG_PROFILES", str(tmp_path))
    wearer, headset = Wearer(load_headset("ring16"), SEED), load_headset("ring16")
    wire, target_deg = calibration_looks(headset, SEED)
    with VirtualHeadset("host", wearer, image=load_image(RING16)) as virtual:
        with open_headset(virtual.port) as client:
            own = calibration_of(SEED, client.info.model_crc32)
            client.write_calibration(own)
        looks = tuple(
            Look(*place, tuple(wire[(target_deg == place).all(axis=1)].mean(axis=0).tolist()))
            for place in dict.fromkeys(map(tuple, target_deg.tolist()))
        )
        profile = Profile("ada", "ring16", "host", "2026-11-26T12:00:00+00:00", own, {}, looks)
        write_profile(profile_path(tmp_path, "ada"), profile)
        words = ("--port", virtual.port, "--check", "--seconds", "6")
        code, told = recentring(capsys, *words)
        assert (code, told["advice"]) == (0, "nothing")
        assert told["size_mm"] < 0.8
        wearer.slip(3.0)
        code, told = recentring(capsys, *words)
        assert (code, told["advice"]) == (EXIT_RECENTER, "recenter")
        assert told["size_mm"] == pytest.approx(3.0, abs=1.5)


def test_the_bench_tells_what_a_recentre_gains(capsys, monkeypatch):
    monkeypatch.setattr(recenter, "SLIPS_MM", (2.0,))
    main(["bench", "recenter", "--wearers", "1", "--json"])
    found = json.loads(capsys.readouterr().out)["slips_mm"]["2"]
    assert found["advised"] == {"nothing": 0, "recenter": 1, "calibrate": 0}
    gained = {way: found["error"][way]["median_deg"] for way in ("nothing", "one target")}
    assert gained["one target"] < gained["nothing"] - 0.5
    assert found["dot"]["one target"]["median_deg"] < found["dot"]["nothing"]["median_deg"]
