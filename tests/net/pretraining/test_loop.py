"""Pretraining: features that tell gazes apart, a run that can be resumed, and collapse, which is noticed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from psog.errors import ModelError
from psog.headset import load_headset
from psog.net.calibrated import int8_features
from psog.net.pretraining.collapse import CollapsedError, health_of
from psog.net.pretraining.loop import PretrainingConfig, pretrain, unfinished
from psog.net.pretraining.methods import Method
from psog.net.tensors import pack
from psog.positives import Positives
from tests.net.conftest import SMALL
from tests.net.pretraining.conftest import toy_positives

HEADSET = load_headset("ring16")
SHORT = PretrainingConfig(steps=60, seed=2, architecture=SMALL, wearers_per_batch=4, moments_per_wearer=16)
METHODS = ("barlow-twins", "byol", "nnclr")


class Naive(Method):
    """Views are to have the same features, and nothing keeps all moments from having them too."""

    def loss(self, one, other, net, first, second):
        return net.features(torch.cat([first, second])).square().mean()


def same(a, b):
    return all(np.array_equal(tensor, pack(b)[1][name]) for name, tensor in pack(a)[1].items())


def confusion(net):
    """Variance of features between the views of a moment, over that between moments of a wearer; others than
    were trained on."""
    seen = toy_positives(wearers=10, seed=7)
    features = int8_features(net)(HEADSET.to_wire(seen.readings.reshape(-1, 16))).reshape(10, 24, 4, -1)
    return features.var(axis=2).mean() / features.mean(axis=2).var(axis=1).mean()


@pytest.mark.parametrize("method", METHODS)
def test_features_hold_still_in_all_but_the_gaze_and_do_not_collapse(method, positives, one_thread):
    config = replace(SHORT, method=method, learning_rate=6e-3)
    before, _ = pretrain(positives, HEADSET, replace(config, steps=1))
    after, report = pretrain(positives, HEADSET, config)
    assert confusion(after) < 0.8 * confusion(before)
    _, _, spread, rank = report["history"][-1]
    assert spread > 0.1 and rank > 2


def test_the_report_tells_stage_seed_and_data_and_the_head_knows_no_gaze(positives, one_thread):
    config = replace(SHORT, steps=2, architecture=replace(SMALL, embedding=4))
    net, report = pretrain(positives, HEADSET, config, data={"files": []})
    assert report["stage"] == "pretrained" and report["parent"] is None
    assert report["training"]["method"] == "barlow-twins" and report["training"]["seed"] == 2
    told = {"kind": "positives", "wearers": 30, "moments": 720, "views": 4, "files": []}
    assert report["data"] == told
    np.testing.assert_array_equal(net.head.weight[:2], 0)
    assert all((shift == 0).all() for shift in net.embedding.shifts)


@pytest.mark.parametrize("method", ["byol", "nnclr"])  # which have a target network, and a queue
def test_a_stopped_run_ends_in_the_same_network(method, positives, tmp_path, one_thread, monkeypatch):
    monkeypatch.setattr("psog.net.checkpoint.SAVE_EVERY_S", 0.0)
    config = replace(SHORT, method=method, steps=30)
    checkpoint = unfinished(tmp_path / "model", HEADSET, config, {})

    def stop(progress):
        if progress.step == 25:
            raise KeyboardInterrupt

    whole, _ = pretrain(positives, HEADSET, config)
    with pytest.raises(KeyboardInterrupt):
        pretrain(positives, HEADSET, config, stop, checkpoint)
    again, report = pretrain(positives, HEADSET, config, None, checkpoint)
    assert same(whole, again) and report["training"]["steps_done"] == 30
    with pytest.raises(ModelError, match="seed = 2, expected 3"):
        unfinished(tmp_path / "model", HEADSET, replace(config, seed=3), {}).load()


def test_a_collapsed_run_stops_and_keeps_its_last_good_state(positives, tmp_path, one_thread):
    config = replace(SHORT, steps=2000, learning_rate=0.02)
    checkpoint = unfinished(tmp_path / "model", HEADSET, config, {})
    with pytest.raises(CollapsedError, match=r"collapsed at step \d+ .*keeps the last good state") as raised:
        pretrain(positives, HEADSET, config, None, checkpoint, method=Naive())
    assert "\n" not in str(raised.value)
    state = checkpoint.load()
    assert 25 <= state.numbers["step"] < 2000
    slower = replace(config, learning_rate=1e-3, steps=2000)
    go_on = unfinished(tmp_path / "model", HEADSET, slower, {}).load()
    assert go_on.numbers["history"][-1][0] == state.numbers["step"]
    assert go_on.numbers["history"][-1][3] >= 1.5  # the effective rank when it was kept


@pytest.mark.parametrize(
    ("features", "spread", "rank"),
    [
        (torch.ones(4, 8, 5), 0, 0),
        (torch.arange(4.0)[:, None, None].expand(4, 8, 5), 0, 0),  # they tell wearers apart, not gazes
        (torch.linspace(-1, 1, 8)[None, :, None].expand(4, 8, 5), 1, 1),
        (torch.eye(6)[None].expand(4, 6, 6), np.sqrt(5 / 6), 5),
    ],
)
def test_health_is_spread_and_dimensions_of_what_differs_between_a_wearer_s_moments(features, spread, rank):
    found = health_of(features)
    assert found.spread == pytest.approx(spread, abs=1e-6) and found.rank == pytest.approx(rank, rel=1e-6)
    assert found.collapsed == (rank < 1.5)


def test_what_cannot_be_pretrained_on_is_one_line(positives):
    few = toy_positives(wearers=4)
    with pytest.raises(ModelError, match="96 moments are too few"):
        pretrain(few, HEADSET, SHORT)
    with pytest.raises(
        ModelError, match="positives are of headset 'ring16' with 16 sensors, expected 'grid15'"
    ):
        pretrain(positives, load_headset("grid15"), SHORT)
    broken = Positives("ring16", positives.readings.copy(), positives.wearer)
    broken.readings[3, 1, 2] = np.nan
    with pytest.raises(ModelError, match="sensor 2 is not a number"):
        pretrain(broken, HEADSET, SHORT)
    for wrong in ({"steps": 0}, {"learning_rate": np.nan}, {"seed": -1}, {"moments_per_wearer": 1}):
        with pytest.raises(ModelError, match="expected"):
            replace(SHORT, **wrong)
    assert not list(Path().glob("*.unfinished*"))
