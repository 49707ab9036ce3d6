"""psog simulate refuses a flag that would change nothing, and says which."""

from dataclasses import fields

import pytest

from psog.cli.main import main
from psog.cli.simulate import Command

OF_USERS = {
    "--users": "2",
    "--seconds": "1",
    "--seed": "3",
    "--task": "reading",
    "--trace": "trace.npy",
    "--donning-mm": "0",
    "--slip-mm": "1",
    "--eyes": "left",
    "--wear": "office",
    "--ambient": "indoor",
    "--workers": "1",
    "--scheduler": "tcp://host:8786",
}
OF_VIDEO = {
    "--px-per-mm": ["8"],
    "--eye-px": ["80", "60"],
    "--motion": ["motion.csv"],
    "--labels": ["labels.csv"],
    "--labels-turned": [],
}
OF_BOTH = {"--headset", "--out", "--video", "--force", "--json"}


def refusal(tmp_path, *words: str) -> str:
    """What the command says when it refuses its flags; nothing is read or written before it does."""
    with pytest.raises(SystemExit) as refused:
        main(["simulate", "grid15", *words, "--out", str(tmp_path / "made")])
    assert list(tmp_path.iterdir()) == []
    said = str(refused.value.code)
    assert "\n" not in said
    return said


def test_every_flag_is_for_users_for_videos_or_for_both():
    flags = {"--" + item.name.replace("_", "-") for item in fields(Command)}
    assert flags == OF_USERS.keys() | OF_VIDEO.keys() | OF_BOTH


@pytest.mark.parametrize("flag", OF_USERS)
def test_a_video_is_not_read_with_a_flag_of_simulated_users(flag, tmp_path):
    said = refusal(tmp_path, "--video", "eye.mp4", flag, OF_USERS[flag])
    assert said.endswith(f"leave out {flag}")


@pytest.mark.parametrize("flag", OF_VIDEO)
def test_a_user_is_not_simulated_with_a_flag_of_videos(flag, tmp_path):
    said = refusal(tmp_path, flag, *OF_VIDEO[flag])
    assert f" {flag} would say something of a --video" in said


def test_a_trace_is_not_replayed_for_some_other_time(tmp_path):
    assert "either --seconds or --trace" in refusal(tmp_path, "--trace", "trace.npy", "--seconds", "5")


def test_all_flags_that_change_nothing_are_named_at_once(tmp_path):
    said = refusal(tmp_path, "--video", "eye.mp4", "--users", "9", "--wear", "active")
    assert said.endswith("leave out --users, --wear")


def test_a_flag_left_at_its_default_is_no_reason_to_refuse(tmp_path):
    """The first thing wrong is then the video, which is not there."""
    pytest.importorskip("av", reason="PyAV reads videos: pip install 'psog[video]'")
    said = refusal(tmp_path, "--video", str(tmp_path / "eye.mp4"), "--users", "1", "--eyes", "right")
    assert "cannot read video" in said
