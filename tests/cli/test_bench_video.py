"""psog bench video: stretches of time that do not touch, and a network that beats what knows less."""

import json
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV reads videos: pip install 'psog[video]'")
from psog.benchmarks.video import Command, split_by_time
from psog.errors import RecordingError
from tests.sim.eye_videos import disc_pictures, write_video


def bench(*words):
    command = [sys.executable, "-m", "psog", "bench", "video", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize(("rows", "gap_us"), [(280, 60_000), (12_000, 1_000_000)])
def test_a_gap_lies_between_what_is_trained_on_and_what_is_tested(rows, gap_us):
    t_us = np.arange(rows) * 12_500
    train, test = split_by_time(t_us)
    assert not (train & test).any()
    assert 0.3 < test.mean() < 0.36 and train.mean() > 0.4
    apart_us = np.abs(t_us[train][:, None] - t_us[test][None, ::7]).min()
    assert apart_us >= gap_us


def test_the_network_knows_more_than_the_mean_and_says_so_in_mm_and_px(tmp_path):
    random = np.random.default_rng(0)
    way = random.uniform(-1, 1, (100, 2)).repeat(4, axis=0)  # fixations of four pictures
    video = write_video(tmp_path / "disc.mkv", disc_pictures([80, 62] + way * [10, 7]))
    run = bench("--videos", video, "--steps", 150, "--json")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)["videos"]["disc"]
    assert found["seen"] == 1 and found["px_per_mm"] == 4 and not found["labels"]
    errors = found["error"]
    assert errors["network_int8"]["mean_mm"] < 0.5 * errors["mean"]["mean_mm"]
    assert errors["ridge"]["mean_mm"] < 0.5 * errors["mean"]["mean_mm"]
    assert errors["mean"]["mean_px"] == pytest.approx(4 * errors["mean"]["mean_mm"], abs=0.01)


def test_a_video_too_short_to_split_is_refused(tmp_path):
    video = write_video(tmp_path / "disc.mkv", disc_pictures(np.full((20, 2), 70.0)))
    with pytest.raises(RecordingError, match="to train on"):
        Command(videos=(video,)).run()
