"""Eye videos become recordings: a moving disc that a linear fit recovers, truth, streaming, bad input."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV reads videos: pip install 'psog[video]'")
from psog.errors import RecordingError, SimulationError
from psog.headset import load_headset
from psog.recording import read_recording
from psog.sim.pupil_blob import PupilFinder
from psog.sim.video import picture_batches, survey
from psog.sim.video_recording import VideoSource, record_video
from psog.sim.windows import SHIFT_CYCLE_MM
from tests.data_paths import SHARED_DATA, needs_shared_data
from tests.sim.eye_videos import disc_pictures, write_video

FRAMES = 240
MIDDLE_PX = np.array([80.0, 62.0])
GRID15 = load_headset("grid15")


def disc_track():
    time = np.arange(FRAMES)
    way = np.stack([10 * np.sin(time / 17), 7 * np.cos(time / 23)], axis=1)
    centre_px = MIDDLE_PX + way
    centre_px[100:110] = np.nan  # a blink
    return centre_px


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("video") / "disc.mkv", disc_pictures(disc_track()))


def simulate(*words):
    command = [sys.executable, "-m", "psog", "simulate", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


def test_the_command_makes_a_recording_from_which_a_linear_fit_recovers_the_disc(video, tmp_path):
    run = simulate("grid15", "--video", video, "--eye-px", *MIDDLE_PX, "--out", tmp_path / "made")
    assert run.returncode == 0, run.stderr
    recording = read_recording(tmp_path / "made")
    assert np.diff(recording.t_us).tolist() == [20_000] * (FRAMES - 1)
    seen = np.asarray(recording.columns["valid"])
    assert np.flatnonzero(~seen).tolist() == list(range(100, 110))
    truth_mm = (disc_track() - MIDDLE_PX) / 4 * [1, -1]
    found_mm = np.stack([recording.columns["pupil_x_mm"], recording.columns["pupil_y_mm"]], axis=1)
    np.testing.assert_allclose(found_mm[seen], truth_mm[seen], atol=0.05)
    shift_mm = np.stack([recording.columns["shift_x_mm"], recording.columns["shift_y_mm"]], axis=1)
    np.testing.assert_allclose(shift_mm, SHIFT_CYCLE_MM[np.arange(FRAMES) % 81])
    known = np.concatenate([recording.readings, shift_mm, shift_mm**2, np.ones((FRAMES, 1))], axis=1)[seen]
    truth_mm = truth_mm[seen]
    fit = np.linalg.lstsq(known[::2], truth_mm[::2], rcond=None)[0]
    error_mm = np.linalg.norm(known[1::2] @ fit - truth_mm[1::2], axis=1)
    assert error_mm.mean() < 0.2 * np.linalg.norm(truth_mm.std(axis=0))
    made = recording.provenance["video"]
    assert (made["name"], made["frames"], made["fps"], made["px_per_mm"]) == ("disc.mkv", FRAMES, 50.0, 4.0)


def test_the_batch_size_does_not_matter_and_the_eye_is_where_the_pupil_mostly_is(video):
    one, many = (record_video(VideoSource(video), GRID15, batch) for batch in (7, 100))
    np.testing.assert_array_equal(one.readings, many.readings)
    assert np.abs(np.array(one.provenance["video"]["eye_px"]) - MIDDLE_PX).max() < 4


def test_pictures_come_as_they_were_and_a_few_at_a_time(video):
    batches = list(picture_batches(video, 64))
    assert max(map(len, batches)) == 64
    np.testing.assert_array_equal(np.concatenate(batches), disc_pictures(disc_track()))
    assert len(survey(video).samples) <= 64


def test_head_motion_takes_the_place_of_the_cycle(video, tmp_path):
    motion = tmp_path / "motion.csv"
    motion.write_text("t_s,x_mm,y_mm\n0,0,0\n2,2,-1\n8,2,-1\n")
    made = record_video(VideoSource(video, motion=motion), GRID15)
    np.testing.assert_allclose(made.columns["shift_x_mm"][[0, 50, 200]], [0, 1, 2])
    np.testing.assert_allclose(made.columns["shift_y_mm"][[0, 50, 200]], [0, -0.5, -1])


def test_labels_of_the_turned_picture_are_turned_back(video, tmp_path):
    labels = tmp_path / "labels.csv"
    centre_px = np.nan_to_num([159, 119] - disc_track())
    rows = [f"{index},{x},{y}" for index, (x, y) in enumerate(centre_px)]
    labels.write_text("\n".join(["frame,x,y", *rows]))
    source = VideoSource(video, eye_px=(80, 62), labels=labels, labels_turned=True)
    made = record_video(source, GRID15)
    assert np.flatnonzero(~made.columns["valid"]).tolist() == list(range(100, 110))
    expected_mm = (disc_track()[:, 0] - 80) / 4
    np.testing.assert_allclose(made.columns["pupil_x_mm"], expected_mm.astype(np.float32), atol=1e-4)


def test_brows_at_the_border_and_lashes_are_no_pupil():
    pictures = np.full((1, 240, 320), 150, np.uint8)
    pictures[0, :40, :150] = 10
    pictures[0, 130:133, 40:200] = 10
    assert np.isnan(PupilFinder(60, 8.0).find(pictures)).all()
    pictures[0, 90:120, 100:130] = 10
    pictures[0, 100:104, 105:109] = 255  # a glint in it
    np.testing.assert_allclose(PupilFinder(60, 8.0).find(pictures)[0], [114.5, 104.5], atol=1.6)


def bad(name, tmp_path, video):
    """A source that cannot be read, by what is wrong with it."""
    path = tmp_path / name
    if name == "no_eye":
        return {"path": write_video(path.with_suffix(".mkv"), np.full((5, 120, 160), 90, np.uint8))}
    if name == "no_pictures":
        return {"path": write_video(path.with_suffix(".mkv"), np.zeros((0, 120, 160), np.uint8))}
    texts = {
        "not_a_video": "this is no video",
        "no_column": "t_s,x_mm\n0,0\n",
        "short_motion": "t_s,x_mm,y_mm\n0,0,0\n1,0,0\n",
        "unsorted_motion": "t_s,x_mm,y_mm\n0,0,0\n9,0,0\n8,0,0\n",
        "words_in_motion": "t_s,x_mm,y_mm\n0,0,left\n9,0,0\n",
        "few_labels": "x,y\n1,1\n",
        "no_labels": "x,y\n",
    }
    if name in texts:
        path.write_text(texts[name])
    if "label" in name:
        return {"path": video, "labels": path}
    return {"path": video, "motion": path} if "motion" in name or "column" in name else {"path": path}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing", "cannot read video"),
        ("not_a_video", "cannot read video"),
        ("no_pictures", "video"),
        ("no_eye", "no eye in video"),
        ("no_column", "no column y_mm"),
        ("short_motion", "covers 0 to 1 s, the video 0 to 4.780 s"),
        ("unsorted_motion", "row 3 is not later"),
        ("words_in_motion", "row 1 is not a number"),
        ("missing_motion", "cannot read head motion"),
        ("few_labels", "1 rows, the video 240 pictures"),
        ("no_labels", "no rows"),
    ],
)
def test_bad_files_are_refused(name, says, tmp_path, video):
    with pytest.raises(RecordingError, match=says) as refusal:
        record_video(VideoSource(**bad(name, tmp_path, video)), GRID15)
    assert "\n" not in str(refusal.value)


def test_impossible_numbers_are_refused(video):
    with pytest.raises(SimulationError, match="not in the picture"):
        record_video(VideoSource(video, eye_px=(400, 10)), GRID15)
    with pytest.raises(SimulationError, match="px/mm"):
        VideoSource(video, px_per_mm=0)
    with pytest.raises(SimulationError, match="add --labels"):
        VideoSource(video, labels_turned=True)


def test_the_command_says_in_one_line_what_is_wrong_and_writes_nothing(tmp_path, video):
    out = tmp_path / "made"
    wrong = [
        (["--video", tmp_path / "none.mp4"], "cannot read video"),
        (["--video", video, "--task", "reading"], "leave out --task"),
    ]
    for words, says in wrong:
        run = simulate("grid15", *words, "--out", out)
        assert run.returncode == 1 and says in run.stderr and run.stderr.count("\n") == 1, run.stderr
        assert not out.exists()
    out.mkdir()
    (out / "mine").write_text("kept")
    run = simulate("grid15", "--video", video, "--out", out)
    assert run.returncode == 1 and "already exists" in run.stderr
    assert (out / "mine").read_text() == "kept"


@needs_shared_data
def test_the_blob_of_a_real_video_is_where_its_labels_are():
    folder = SHARED_DATA / "eye_video"
    labels = np.loadtxt(folder / "pupilcore_2.csv", delimiter=",", skiprows=1)
    pictures = next(picture_batches(folder / "pupilcore_2.avi", 256))
    found = PupilFinder(115, 4.8).find(pictures)
    both = np.isfinite(found[:, 0]) & (labels[:256, 5] > 0)
    assert both.mean() > 0.5
    far_px = np.linalg.norm(found - (191 - labels[:256, 3:5]), axis=1)[both]
    assert np.median(far_px) < 0.5
