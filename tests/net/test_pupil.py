"""The pupil's effect on readings, estimated from recordings, and what training makes of it."""

from dataclasses import replace

import numpy as np
import pytest

from psog.headset import load_headset
from psog.net.loop import TrainingConfig
from psog.net.pupil import PUPIL_MM, fit_pupils, pupil_known
from psog.net.training import train_plain
from psog.recording import Recording
from psog.third_party import read_psog_nn
from tests.data_paths import needs_shared_data, psog_nn
from tests.net.conftest import SMALL


def toy_recording(pupil_mm, seed, rows=3000):
    """Readings that follow gaze and, more where the gaze is high, the pupil."""
    rng = np.random.default_rng(seed)
    gaze = rng.uniform(-15, 15, (rows, 2))
    pupil = rng.uniform(*pupil_mm, rows)
    angle = np.linspace(0, 2 * np.pi, 15, endpoint=False)
    effect = 80 * np.sin(2 * angle) * (1 + gaze[:, 1:] / 30)
    readings = 2000 + 30 * gaze @ np.stack([np.cos(angle), np.sin(angle)]) + effect * (pupil[:, None] - 3)
    columns = {
        "gaze_h_deg": gaze[:, 0],
        "gaze_v_deg": gaze[:, 1],
        "shift_x_mm": np.zeros(rows),
        "shift_y_mm": np.zeros(rows),
        "pupil_mm": pupil,
    }
    recording = Recording("grid15", np.arange(rows), readings.astype(np.float32), columns)
    return recording, effect


def test_the_effect_of_the_pupil_is_recovered():
    recording, effect = toy_recording((2.5, 3.5), 1)
    pupils = fit_pupils([recording])
    np.testing.assert_allclose(pupils.effect_counts, effect, atol=0.5)
    pupil_mm = recording.columns["pupil_mm"]
    np.testing.assert_allclose(pupil_mm + pupils.smallest_mm, PUPIL_MM[0], atol=1e-5)
    np.testing.assert_allclose(pupil_mm + pupils.largest_mm, PUPIL_MM[1], atol=1e-5)


def test_a_recording_without_pupil_or_shift_is_told_apart():
    recording, _ = toy_recording((2.5, 3.5), 1)
    columns = {name: values for name, values in recording.columns.items() if name != "pupil_mm"}
    assert pupil_known([recording])
    assert not pupil_known([recording, replace(recording, columns=columns)])


def test_training_with_pupils_holds_on_pupils_never_recorded():
    grid15 = load_headset("grid15")
    recorded, _ = toy_recording((2.8, 3.2), 1)
    wide, _ = toy_recording((5.0, 5.5), 2)
    config = TrainingConfig(steps=400, architecture=SMALL)
    errors = {}
    for name, pupils in (("without", None), ("with", fit_pupils([recorded]))):
        net, _ = train_plain(recorded.readings, recorded.gaze_deg, grid15, config, pupils=pupils)
        gaze_deg = net(grid15.to_wire(wide.readings))[:, :2]
        errors[name] = np.linalg.norm(gaze_deg - wide.gaze_deg, axis=1).mean()
    assert errors["with"] < 0.5 * errors["without"]


@needs_shared_data
def test_on_third_party_signals_most_of_an_unseen_pupils_effect_is_predicted():
    """Pupils of 1.9 to 3 mm are moved to the 2.4 to 4.1 mm of another trace at the same gaze and shift."""
    recordings = [read_psog_nn(psog_nn(name)) for name in ("calib_062217", "eyelink_12", "eyelink_11")]
    seen, unseen = fit_pupils(recordings[:2]), fit_pupils(recordings)
    rows = len(seen.effect_counts)
    difference = seen.effect_counts - unseen.effect_counts[:rows]
    assert np.sqrt((difference**2).mean()) < 0.2 * np.sqrt((unseen.effect_counts**2).mean())


@pytest.mark.parametrize("name", ["pupil_mm", "shift_x_mm"])
def test_a_column_that_never_varies_does_no_harm(name):
    recording, _ = toy_recording((2.5, 3.5), 1)
    constant = {**recording.columns, name: np.full(len(recording), 3.0)}
    assert np.isfinite(fit_pupils([replace(recording, columns=constant)]).effect_counts).all()
