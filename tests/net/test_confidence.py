"""Expected errors: large where a calibration has seen nothing, and as large as errors are on average."""

import re
from pathlib import Path

import numpy as np
import pytest

from psog.device.samples import GazeSample
from psog.errors import ShapeError
from psog.net.architecture import LN_ERROR
from psog.net.confidence import fit_ln_error, judge, leverage, stranger_error_deg, with_expected_error
from psog.net.integer import UNMEASURED_DEG, Head
from psog.net.store import save_model
from tests.net.conftest import toy_episodes

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.random((60, 5)) * [1, 1, 1, 1, 0]  # the last is never seen to move
HEAD = Head(np.zeros((4, 6), np.float32), 0.01, leverage_deg=2.0, leverage_power=0.5)


def test_leverage_is_the_quadratic_form_of_its_formula():
    F = np.concatenate([FEATURES, np.ones((60, 1))], axis=1)
    inverse = np.linalg.inv(F.T @ F / 60 + 0.01 * np.eye(6))
    expected = [row @ inverse @ row for row in F]
    np.testing.assert_allclose(leverage(HEAD, FEATURES)(FEATURES), expected)


def test_what_a_calibration_has_not_seen_is_expected_to_be_worse():
    seen = leverage(HEAD, FEATURES)
    novel = FEATURES[:10] + np.array([0, 0, 0, 0, 1.0])
    assert seen.expected_error_deg(novel).min() > 3 * seen.expected_error_deg(FEATURES[:10]).max()


@pytest.mark.parametrize("shape", [(0, 5), (10, 4)])
def test_leverage_needs_samples_of_the_heads_features(shape):
    with pytest.raises(ShapeError, match="expected"):
        leverage(HEAD, np.zeros(shape))


def test_the_fit_finds_the_mean_of_errors_that_scatter():
    x = RANDOM.uniform(-1, 1, (40_000, 1))
    error_deg = np.exp(0.7 * x[:, 0] + 0.4) * RANDOM.exponential(size=len(x))
    np.testing.assert_allclose(fit_ln_error(x, error_deg), [0.7, 0.4], atol=0.03)


@pytest.fixture(scope="module")
def unseen():
    return toy_episodes("ring16", 60, 91)


@pytest.fixture(scope="module")
def measured(trained, unseen, ring16):
    return with_expected_error(trained[0], unseen, ring16, 0)


def test_a_trained_network_says_that_nothing_was_measured_yet(trained, ring16):
    head = trained[0].head
    expected = stranger_error_deg(head, np.zeros((1, head.weight.shape[1] - 1)))
    np.testing.assert_allclose([expected[0], head.leverage_deg], UNMEASURED_DEG, rtol=1e-6)


def test_errors_of_other_users_are_what_was_expected_of_them_on_average(measured, ring16):
    found, head = judge(measured, toy_episodes("ring16", 60, 92), ring16, 1), measured.head
    expected = head.leverage_deg * found.leverage**head.leverage_power
    stranger = stranger_error_deg(head, found.stranger_features)
    assert (found.error_deg / expected).mean() == pytest.approx(1, abs=0.15)
    assert (found.stranger_error_deg / stranger).mean() == pytest.approx(1, abs=0.25)
    assert (found.error_deg / (stranger * np.exp(head.calibration_ln))).mean() == pytest.approx(1, abs=0.25)


def test_measuring_changes_nothing_but_the_last_output(trained, measured, ring16, unseen):
    wire = ring16.to_wire(unseen.readings[0, 0])
    np.testing.assert_array_equal(measured(wire)[:, :LN_ERROR], trained[0](wire)[:, :LN_ERROR])
    assert measured.head.ridge == trained[0].head.ridge


def test_closed_eyes_are_expected_to_be_far_off(measured, unseen, ring16):
    found = judge(measured, unseen, ring16, 1)
    closed = found.openness < 0.5
    assert np.median(found.leverage[closed]) > 3 * np.median(found.leverage[~closed])


def test_the_examples_of_the_documentation_run(measured, unseen, ring16, tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "confidence.md").read_text("utf-8")
    save_model(tmp_path / "model", measured, {})
    wire = ring16.to_wire(unseen.readings[0])
    given = {
        "folder": tmp_path / "model",
        "calibration_wire": wire[0],
        "target_deg": unseen.gaze_deg[0, 0],
        "wire": wire[1],
        "samples": [GazeSample(0, 0, 1.0, 1.0, 1.0, error, True, True, False, True) for error in (1.0, 9.0)],
    }
    for example in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(example, given)
    assert given["expected_error_deg"].shape == (wire.shape[1],)
    assert [gaze.expected_error_deg for gaze in given["usable"]] == [1.0]
