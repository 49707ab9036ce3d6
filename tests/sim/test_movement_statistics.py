"""Simulated eye movements against four real ones, in numbers."""

import json

import numpy as np
import pytest

from psog.cli.main import main
from psog.recording import BLINK, FIXATION, OSCILLATION, SACCADE
from psog.sim.movement_statistics import as_trace, statistics, stretches
from psog.sim.tasks import viewer
from psog.third_party import GazeTrace, read_eyelink_trace
from tests.data_paths import gaze_trace, needs_shared_data

RATE_HZ = 1000.0


@pytest.fixture(scope="module")
def simulated():
    """The random-saccade task, as the recorded people did."""
    eyes = [viewer("saccades", RATE_HZ, (20.0, 15.0), 3, index=k) for k in range(8)]
    return statistics([as_trace(eye.advance(60_000), RATE_HZ, "simulated") for eye in eyes])


@pytest.fixture(scope="module")
def recorded():
    return statistics([read_eyelink_trace(gaze_trace(number)) for number in (1, 2, 3, 4)])


def test_figures_are_those_of_a_trace_made_by_hand():
    """Rest, a saccade of 4° at 200 °/s that swings by 0.4°, rest with a dispersion of 0.1°, a blink."""
    x = np.concatenate([np.zeros(300), np.linspace(0.2, 4, 20), [4.2, 4.0, 3.8, 4.0], np.full(400, 4.0)])
    x = np.concatenate([x, np.full(150, 4.0), np.full(300, 4.0)])
    x[324:724] += np.tile([0.1, -0.1], 200)
    event = np.full(len(x), FIXATION, np.uint8)
    event[300:320], event[320:324], event[724:874] = SACCADE, OSCILLATION, BLINK
    trace = GazeTrace(
        "by hand",
        np.arange(len(x), dtype=np.int64) * 1000,
        np.stack([x, np.zeros(len(x))], axis=1).astype(np.float32),
        np.ones(len(x), bool),
        event,
    )
    found = statistics([trace])
    np.testing.assert_allclose(found.amplitude_deg, [3.8], atol=1e-5)
    np.testing.assert_allclose(found.peak_deg_s, [200], rtol=0.02)
    np.testing.assert_allclose(found.duration_s, [0.020])
    np.testing.assert_allclose(found.oscillation_deg, [0.4], atol=1e-5)
    np.testing.assert_allclose(found.oscillation_s, [0.004])
    np.testing.assert_allclose(sorted(found.dispersion_deg), [0, 0, 0.1], atol=1e-5)
    np.testing.assert_allclose(found.blink_s, [0.150])
    assert found.microsaccades_per_s == 0


def test_stretches_are_runs_of_true():
    runs = stretches(np.array([True, True, False, True, False, False, True]))
    assert runs.tolist() == [[0, 2], [3, 4], [6, 7]]


@needs_shared_data
@pytest.mark.parametrize(
    ("low", "high"), [(0.3, 1.0), (1.0, 2.0), (2.0, 5.0), (5.0, 12.0), (12.0, 20.0), (20.0, 30.0)]
)
def test_saccades_are_as_fast_and_long_as_real_ones(low, high, simulated, recorded):
    """Medians over a band of amplitudes, to the same amplitude by the law through the recorded ones."""

    def against_the_law(figures):
        band = (figures.amplitude_deg >= low) & (figures.amplitude_deg < high)
        assert np.count_nonzero(band) >= 20
        amplitude = figures.amplitude_deg[band]
        return (
            np.median(figures.peak_deg_s[band] / (690 * amplitude / (amplitude + 4.8))),
            np.median(figures.duration_s[band] / (0.0128 + 0.00242 * amplitude)),
        )

    np.testing.assert_allclose(against_the_law(simulated), against_the_law(recorded), rtol=0.15)


@needs_shared_data
@pytest.mark.parametrize(("low", "high"), [(0.3, 1.0), (1.0, 5.0), (5.0, 30.0)])
def test_the_eye_swings_after_saccades_as_real_ones_do(low, high, simulated, recorded):
    def swing(figures):
        band = (figures.amplitude_deg >= low) & (figures.amplitude_deg < high)
        return np.nanmedian(figures.oscillation_deg[band])

    assert 0.6 < swing(simulated) / swing(recorded) < 1.2  # recorded ones have a tracker's noise in them


@needs_shared_data
def test_fixations_and_blinks_are_like_real_ones(simulated, recorded):
    apart = np.median(simulated.dispersion_deg) / np.median(recorded.dispersion_deg)
    assert 0.7 < apart < 1.1
    assert np.median(simulated.blink_s) == pytest.approx(np.median(recorded.blink_s), rel=0.1)
    assert 0.5 < simulated.microsaccades_per_s / recorded.microsaccades_per_s < 2


@needs_shared_data
def test_the_command_prints_json_and_draws(tmp_path, capsys):
    picture, folder = tmp_path / "m.png", gaze_trace(1).parent
    words = ["bench", "movement", "--traces", str(folder), "--out", str(picture), "--json"]
    main([*words, "--users", "1", "--seconds", "30"])
    found = json.loads(capsys.readouterr().out)
    assert found["recorded"]["blinks"] == 45
    assert len(found["simulated"]["saccades"]) >= 5
    assert picture.read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(SystemExit, match=r"already exists.*--force"):
        main(words)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--users", "0"], "0 users"),
        (["--seconds", "1"], "for 1 s"),
        (["--traces", "nowhere"], "no traces in nowhere"),
        (["--out", "picture.txt"], ".png"),
    ],
)
def test_the_command_refuses_what_it_cannot_do(words, told):
    with pytest.raises(SystemExit, match=told):
        main(["bench", "movement", *words])
