"""The headset's stage: better on the headset that was built, still pruned, and as resumable as training."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from psog.benchmarks.stages_headset import built
from psog.errors import ModelError
from psog.headset import load_headset
from psog.net.adapt import Adaptation, adapt, adaptation_config, unfinished
from psog.net.evaluation import evaluate
from psog.net.sources import Source
from psog.net.store import load_model
from psog.net.tensors import pack
from psog.sim.episodes import make_episodes
from tests.net.conftest import toy_episodes

HEADSET = load_headset("ring16")
SHORT = adaptation_config(steps=70, seed=3)
WITHOUT = Adaptation(simulated_share=0.0)


@pytest.fixture(scope="module")
def real():
    """A headset that was built; every other sensor reads a quarter too little besides."""
    worn = built(HEADSET, seed=100)
    return replace(worn, gain=worn.gain * np.where(np.arange(16) % 2, np.float32(1), np.float32(0.75)))


@pytest.fixture(scope="module")
def people(real):
    """Recordings of six people who wear it."""
    return [Source(Path("people"), real.record(users=6, seconds=22, seed=7), ("a", "b"))]


@pytest.fixture(scope="module")
def parent(tiny_model):
    return load_model(tiny_model)


def same(a, b):
    return all(np.array_equal(tensor, pack(b)[1][name]) for name, tensor in pack(a)[1].items())


def test_other_users_of_the_headset_gain(parent, real, people, one_thread):
    test = real.test(users=20, seed=50, slips_mm=(0.0, 1.0))
    simulated = make_episodes(HEADSET, users=200, poses=3, seed=1)
    config = adaptation_config(steps=100, seed=0)
    net, _ = adapt(parent, people, HEADSET, config, Adaptation(0.5), simulated=simulated)
    before, after = (evaluate(each, test, HEADSET, (0.0, 1.0))["int8"]["slips"] for each in (parent.net, net))
    for slip in ("0", "1"):
        assert after[slip]["median_deg"] < 0.95 * before[slip]["median_deg"]


def test_the_report_tells_parent_data_seed_and_stage(parent, people, one_thread):
    simulated = toy_episodes("ring16", 25, 1)
    how = Adaptation(simulated_share=0.25, normalisation="keep")
    config = replace(SHORT, steps=3)
    net, report = adapt(parent, people, HEADSET, config, how, simulated=simulated)
    assert report["stage"] == "headset"
    assert report["parent"] == parent.origin and parent.origin["stage"] == "population"
    assert report["training"]["seed"] == 3 and report["training"]["steps"] == 3
    assert report["data"] == {
        "kind": "recordings",
        "files": [{"name": "people", "rows": 6 * 22_000, "sha256": ["a", "b"]}],
        "users": 6,
        "poses": 18,
        "simulated_users": 25,
        "simulated_share": 0.25,
        "normalisation": "keep",
    }
    np.testing.assert_array_equal(net.normalisation.offset, parent.net.normalisation.offset)


def test_refitted_readings_fill_the_input_of_the_headset_that_was_built(parent, people, one_thread):
    how = replace(WITHOUT, normalisation="refit")
    net, _ = adapt(parent, people, HEADSET, replace(SHORT, steps=3), how)
    wire = HEADSET.to_wire(people[0].recording.readings[people[0].recording.columns["valid"]])
    low, high = np.quantile(net.normalisation(wire)[..., 0], (0.001, 0.999), axis=0)
    assert (low < -90).all() and (high > 90).all()


def test_a_normalisation_is_fitted_to_many_people_unless_told_otherwise(parent, people, one_thread):
    recording, config = people[0].recording, replace(SHORT, steps=2)
    eight = [replace(people[0], recording=recording.take(slice(0, 4 * 22_000)))] * 2
    for sources, expected in ((people, "keep"), (eight, "refit")):
        net, report = adapt(parent, sources, HEADSET, config, WITHOUT)
        assert report["data"]["normalisation"] == expected
        same_as_parent = np.array_equal(net.normalisation.offset, parent.net.normalisation.offset)
        assert same_as_parent == (expected == "keep")


def test_the_same_seed_gives_the_same_network_and_simulated_users_change_it(parent, people, one_thread):
    config = replace(SHORT, steps=5)
    simulated = toy_episodes("ring16", 25, 1)
    alone, _ = adapt(parent, people, HEADSET, config, WITHOUT)
    assert same(alone, adapt(parent, people, HEADSET, config, WITHOUT)[0])
    mixed, _ = adapt(parent, people, HEADSET, config, Adaptation(0.5), simulated=simulated)
    assert not same(alone, mixed)


def test_a_stopped_adaptation_ends_in_the_same_network(tmp_path, parent, people, one_thread, monkeypatch):
    monkeypatch.setattr("psog.net.checkpoint.SAVE_EVERY_S", 0.0)
    how, simulated = Adaptation(0.5), toy_episodes("ring16", 25, 1)

    def checkpoint(config=SHORT):
        place = tmp_path / "model"
        return unfinished(place, parent, people, HEADSET, config, how=how, simulated_users=25)

    def stop(progress):
        if progress.step == 50:  # past the start of quantization
            raise KeyboardInterrupt

    whole, _ = adapt(parent, people, HEADSET, SHORT, how, simulated=simulated)
    with pytest.raises(KeyboardInterrupt):
        adapt(
            parent,
            people,
            HEADSET,
            SHORT,
            how,
            simulated=simulated,
            progress=stop,
            checkpoint=checkpoint(),
        )
    with pytest.raises(ModelError, match="seed = 3, expected 4"):
        checkpoint(replace(SHORT, seed=4)).load()
    again, report = adapt(parent, people, HEADSET, SHORT, how, simulated=simulated, checkpoint=checkpoint())
    assert same(whole, again) and report["training"]["steps_done"] == 70


def test_a_pruned_network_stays_pruned_and_says_so(pruned, people, one_thread):
    net, report = adapt(pruned, people, HEADSET, replace(SHORT, steps=25), WITHOUT)
    before, after = pruned.net.layers[1].weight, net.layers[1].weight
    assert not np.array_equal(before, after)
    kernels_before, kernels_after = ((w != 0).any(axis=(1, 2)) for w in (before, after))
    assert kernels_before.mean() == pytest.approx(0.25, abs=0.02)
    assert not (kernels_after & ~kernels_before).any()
    assert ((after != 0).sum(axis=(1, 2)) <= 4).all()
    assert report["pruning"] == pruned.report["pruning"]


@pytest.mark.parametrize("pool", [None, [], [[9]], [["x"]], [[0, 1, 2, 3]]])
def test_a_pruning_that_does_not_describe_the_network_is_refused(pruned, people, pool):
    report = {**pruned.report, "pruning": {"patterns": "4", "pool": pool}}
    with pytest.raises(ModelError, match=r"no pool of patterns|weights outside every pattern"):
        adapt(replace(pruned, report=report), people, HEADSET, replace(SHORT, steps=2), WITHOUT)


def test_too_few_people_are_refused(parent, people):
    recording = people[0].recording
    few = [replace(people[0], recording=recording.take(slice(0, 3 * 22_000)))]
    with pytest.raises(ModelError, match="cannot adapt to 3 users who fixate often enough; at least 4"):
        adapt(parent, few, HEADSET, SHORT, WITHOUT)


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_is_a_share(share):
    with pytest.raises(ModelError, match="share of simulated users is"):
        Adaptation(share)
