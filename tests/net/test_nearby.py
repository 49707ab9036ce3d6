"""Rows moved to other gazes, shifts and pupils: what is predicted, and what training makes of it."""

from dataclasses import replace

import numpy as np
import pytest

from psog.headset import load_headset
from psog.net.loop import TrainingConfig
from psog.net.nearby import PUPIL_MM, ReadingModel, can_be_moved, move_rows
from psog.net.training import train_plain
from psog.recording import Recording
from psog.third_party import read_psog_nn
from tests.data_paths import needs_shared_data, psog_nn
from tests.net.conftest import SMALL

PLACE = ("gaze_h_deg", "gaze_v_deg", "shift_x_mm", "shift_y_mm")


def toy_readings(place, pupil_mm):
    """Readings that follow gaze and shift and, more where the gaze is high, the pupil."""
    angle = np.linspace(0, 2 * np.pi, 15, endpoint=False)
    projected = place[:, :2] @ np.stack([np.cos(angle), np.sin(angle)])
    shifted = 100 * place[:, 2:] @ np.stack([np.cos(3 * angle), np.sin(3 * angle)])
    effect = 80 * np.sin(2 * angle) * (1 + place[:, 1:2] / 30)
    return 2000 + 30 * projected + projected**2 / 4 + shifted + effect * (pupil_mm[:, None] - 3)


def toy_recording(pupil_mm, seed, rows=3000):
    rng = np.random.default_rng(seed)
    place = np.concatenate([rng.uniform(-15, 15, (rows, 2)), rng.integers(-2, 3, (rows, 2)) / 2], axis=1)
    pupil = rng.uniform(*pupil_mm, rows)
    columns = {**dict(zip(PLACE, place.T, strict=True)), "pupil_mm": pupil}
    return Recording("grid15", np.arange(rows), toy_readings(place, pupil).astype(np.float32), columns)


def test_moved_rows_read_what_they_would_read_there():
    recording = toy_recording((2.5, 3.5), 1)
    place = np.stack([recording.columns[name] for name in PLACE], axis=1)
    model = ReadingModel(place, recording.columns["pupil_mm"], recording.readings)
    rng = np.random.default_rng(2)
    elsewhere = np.concatenate([rng.uniform(-14, 14, (500, 2)), rng.uniform(-0.9, 0.9, (500, 2))], axis=1)
    pupil_mm = rng.uniform(*PUPIL_MM, 500)
    np.testing.assert_allclose(model(elsewhere, pupil_mm), toy_readings(elsewhere, pupil_mm), atol=1)


def test_moving_is_repeatable_and_stays_inside_what_was_recorded():
    recording = toy_recording((2.5, 3.5), 1)
    readings, gaze_deg = move_rows([recording], 2, seed=4)
    again, _ = move_rows([recording], 2, seed=4)
    other, _ = move_rows([recording], 2, seed=5)
    assert readings.shape == (6000, 15) and gaze_deg.shape == (6000, 2)
    np.testing.assert_array_equal(readings, again)
    assert not np.array_equal(readings, other)
    distance = np.abs(gaze_deg[:3000] - recording.gaze_deg)
    assert 0.3 < distance.mean() < 0.6 and distance.max() <= 1.0001
    assert np.abs(gaze_deg).max() <= np.abs(recording.gaze_deg).max() + 1e-6


def test_a_recording_without_pupil_or_shift_is_told_apart():
    recording = toy_recording((2.5, 3.5), 1)
    columns = {name: values for name, values in recording.columns.items() if name != "pupil_mm"}
    assert can_be_moved([recording])
    assert not can_be_moved([recording, replace(recording, columns=columns)])


def test_training_with_moved_rows_holds_on_pupils_never_recorded():
    grid15 = load_headset("grid15")
    recorded, wide = toy_recording((2.8, 3.2), 1), toy_recording((5.0, 5.5), 2)
    config = TrainingConfig(steps=600, architecture=SMALL)
    plain = (recorded.readings, recorded.gaze_deg)
    errors = []
    for readings, gaze_deg in (plain, move_rows([recorded], 2, seed=0)):
        net, _ = train_plain(readings, gaze_deg, grid15, config)
        estimated = net(grid15.to_wire(wide.readings))[:, :2]
        errors.append(np.linalg.norm(estimated - wide.gaze_deg, axis=1).mean())
    assert errors[1] < 0.5 * errors[0]


@needs_shared_data
def test_on_third_party_signals_an_unseen_trace_with_wider_pupils_is_predicted():
    """Fitted on pupils up to 3.7 mm, tried on a trace with up to 4.1 mm: a tenth of what the signals span."""
    *seen, unseen = (read_psog_nn(psog_nn(name)) for name in ("calib_062217", "eyelink_12", "eyelink_11"))
    place, pupil_mm = (
        [np.stack([one.columns[name] for name in names], axis=1) for one in (*seen, unseen)]
        for names in (PLACE, ("pupil_mm",))
    )
    model = ReadingModel(
        np.concatenate(place[:2]).astype(float),
        np.concatenate(pupil_mm[:2])[:, 0].astype(float),
        np.concatenate([one.readings for one in seen]),
    )
    residual = model(place[2].astype(float), pupil_mm[2][:, 0].astype(float)) - unseen.readings
    assert residual.std() < 0.1 * unseen.readings.std(axis=0).mean()


@pytest.mark.parametrize("name", ["pupil_mm", "shift_x_mm"])
def test_a_column_that_never_varies_does_no_harm(name):
    recording = toy_recording((2.5, 3.5), 1)
    constant = {**recording.columns, name: np.full(len(recording), 3.0)}
    readings, _ = move_rows([replace(recording, columns=constant)], 1, seed=0)
    assert np.isfinite(readings).all() and np.abs(readings - recording.readings).max() < 2000
