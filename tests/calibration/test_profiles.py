"""Calibrations under names: kept whole, for their owner alone, and only ever used where they belong."""

import base64
import json
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from psog.calibration.looks import Look
from psog.calibration.profiles import (
    Profile,
    active_profile,
    delete_profile,
    load_profile,
    profile_names,
    profile_path,
    profiles_folder,
    save_profile,
    use_profile,
    write_profile,
)
from psog.cli.main import main
from psog.device.calibration_record import Calibration
from psog.device.client import open_headset
from psog.errors import CalibrationError, DeviceError, ProfileError
from psog.firmware_export.image import write_image
from psog.firmware_export.toolchain import available_boards
from psog.virtual.boards import start_board
from tests.firmware.device import NET, calibrate, upload
from tests.random_nets import grid_headset, with_embedding

IMAGE = write_image(with_embedding(NET, 1, 6), grid_headset(3, 5))
CALIBRATION = Calibration(
    0x1234, np.arange(8, dtype=np.float32).reshape(2, 4), np.arange(-2, 3, dtype=np.int32)
)
LOOKS = Look(-5.0, 0.0, (1.5, 65535.0)), Look(5.0, 2.5, (0.0, 7.2))
ADA = Profile("ada", "ring16", "host", "2026-11-26T12:00:00+00:00", CALIBRATION, {"accuracy_deg": 0.8})


def saved(folder: Path, profile: Profile = ADA) -> Path:
    path = profile_path(folder, profile.name)
    write_profile(path, profile)
    return path


def test_a_record_and_its_bytes_are_the_same_thing():
    record = CALIBRATION.to_bytes()
    assert len(record) == 72
    again = Calibration.from_bytes(record)
    assert again == CALIBRATION and hash(again) == hash(CALIBRATION)
    assert again != replace(CALIBRATION, model_crc32=1)
    numbered = record[:8] + b"\7\0\0\0" + record[12:]  # a device's own sequence number
    assert Calibration.from_bytes(numbered) == CALIBRATION


@pytest.mark.parametrize("change", [slice(0, 10), slice(0, 64), slice(4, None)])
def test_bytes_that_are_no_record_are_refused(change):
    with pytest.raises(CalibrationError, match="is no calibration"):
        Calibration.from_bytes(CALIBRATION.to_bytes()[change])


def test_numbers_that_no_record_holds_are_refused():
    for head in (np.full((2, 4), np.nan, np.float32), np.zeros((3, 4), np.float32), np.zeros(4, np.float32)):
        with pytest.raises(CalibrationError, match="is no calibration"):
            replace(CALIBRATION, head=head).to_bytes()


def test_a_profile_is_kept_whole_and_for_its_owner_alone(tmp_path):
    folder = tmp_path / "made" / "here"
    with_looks = replace(ADA, looks=LOOKS)
    saved(folder, with_looks)
    assert load_profile(folder, "ada") == with_looks
    assert "looks" not in with_looks.to_json()
    path = saved(folder)
    assert load_profile(folder, "ada") == ADA
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    saved(folder, replace(ADA, name="Bo B. _+@-"))
    assert profile_names(folder) == ["Bo B. _+@-", "ada"]
    assert sorted(file.name for file in folder.iterdir()) == ["Bo B. _+@-.profile.json", "ada.profile.json"]
    delete_profile(folder, "ada")
    assert profile_names(folder) == ["Bo B. _+@-"]


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../ada", "a/b", "a\\b", ".ada", "a" * 65, "a\n", "ada ", "ada.", "ä", "a\0b", "a:b"],
)
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path, name):
    for use in (profile_path, load_profile, delete_profile):
        with pytest.raises(ProfileError, match="cannot name a profile"):
            use(tmp_path, name)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"[" * 5000,
        b"\xff",
        b"{}",
        {"format": "psog-profile 2"},
        {"calibration": "no base64!"},
        {"calibration": ""},
        {"calibration": 7},
        {"headset": None},
        {"measured": []},
        {"looks": {}},
        {"looks": [[0, 0]]},
        {"looks": [[0, 0, 1], [0, 0, 1, 2]]},
        {"looks": [[0, 0, True]]},
        {"looks": [[0, 0, 70_000]]},
        {"looks": [[0, 0, 1]] * 65},
        {"calibration": base64.b64encode(bytes(72)).decode()},
        b" " * 70_000,
    ],
)
def test_a_damaged_profile_is_one_line_that_says_what_to_do(tmp_path, content):
    path = saved(tmp_path)
    if isinstance(content, dict):
        content = json.dumps({**json.loads(path.read_text()), **content}).encode()
    path.write_bytes(content)
    with pytest.raises(ProfileError, match="delete it with psog profiles delete 'ada'") as error:
        load_profile(tmp_path, "ada")
    assert "\n" not in str(error.value)


def test_one_that_is_missing_is_told_with_those_that_are_there(tmp_path):
    saved(tmp_path)
    with pytest.raises(ProfileError, match=r"no profile 'bo' in .*; there is: 'ada'"):
        load_profile(tmp_path, "bo")
    with pytest.raises(ProfileError, match=r"no profile 'bo' in .*; there is: 'ada'"):
        delete_profile(tmp_path, "bo")


def test_where_profiles_are_is_the_user_s_choice():
    assert profiles_folder({"PSOG_PROFILES": "/p", "XDG_DATA_HOME": "/x"}) == Path("/p")
    assert profiles_folder({"XDG_DATA_HOME": "/x"}) == Path("/x/psog/profiles")
    assert profiles_folder({}) == Path.home() / ".local/share/psog/profiles"


@pytest.fixture
def board(tmp_path):
    if "host" not in available_boards():
        pytest.skip("no C compiler is installed")
    with start_board("host", tmp_path / "flash") as running:
        yield running


def test_users_take_turns_on_one_headset(board, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PSOG_PROFILES", str(tmp_path))
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        with pytest.raises(DeviceError, match="not calibrated, so there is nothing to save"):
            save_profile(headset, "ada")
        for name, first in (("ada", 0), ("bo", 400)):
            calibrate(headset, board, first=first)
            headset.tune_solve()
            headset.tune_accept()
            save_profile(
                headset, name, {"accuracy_deg": 0.5, "secret": 1}, looks=LOOKS if name == "ada" else ()
            )
            headset.calibration_erase()
        ada, bo = (load_profile(tmp_path, name) for name in ("ada", "bo"))
        assert ada.calibration != bo.calibration
        assert ada.measured == {"accuracy_deg": 0.5}
        assert active_profile(headset, tmp_path) is None
        use_profile(headset, ada)
        assert active_profile(headset, tmp_path) == "ada"
        headset.write_calibration(replace(bo.calibration, head=bo.calibration.head + 1))
        assert active_profile(headset, tmp_path) == "bo"  # recentred
        with pytest.raises(ProfileError, match="was made with a 'ring16', the headset at"):
            use_profile(headset, replace(ada, headset="ring16"))
        other = replace(ada, calibration=replace(ada.calibration, model_crc32=1))
        with pytest.raises(ProfileError, match=r"with model 00000001, the headset at .* runs"):
            use_profile(headset, other)
        with pytest.raises(ProfileError, match="already"):
            save_profile(headset, "ada", force=False)
    main(["profiles", "use", "ada", "--port", board.port])
    main(["profiles", "save", "cy", "--port", board.port])
    assert load_profile(tmp_path, "cy").looks == LOOKS  # ada still
    main(["profiles", "delete", "bo"])
    copy = replace(load_profile(tmp_path, "ada"), name="aa", looks=())
    write_profile(profile_path(tmp_path, "aa"), copy)
    with open_headset(board.port) as headset:
        assert active_profile(headset, tmp_path) == "ada"  # it knows what the sensors read, aa does not
    delete_profile(tmp_path, "aa")
    capsys.readouterr()
    main(["profiles", "--port", board.port, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["active"]) for one in told["profiles"]] == [("ada", True), ("cy", False)]
    assert (told["port"], told["active"], told["damaged"]) == (board.port, "ada", [])
    assert "calibration" not in told["profiles"][0]


@pytest.mark.parametrize("words", [["use"], ["list", "ada"], ["use", "nobody"], ["delete", "../x"]])
def test_a_mistake_is_one_line(words, tmp_path, monkeypatch):
    monkeypatch.setenv("PSOG_PROFILES", str(tmp_path))
    with pytest.raises(SystemExit, match=r"^psog profiles: [^\n]+$"):
        main(["profiles", *words])
