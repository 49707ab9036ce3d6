"""What a calibration says of left-out targets, beside targets that it never saw."""

import json

import numpy as np
import pytest

from psog.benchmarks.left_out import Session, judge
from psog.cli.main import main
from psog.net.integer import IntegerNet
from tests.random_nets import random_net, random_readings


def session(net: IntegerNet, seed: int, targets: int) -> Session:
    rng = np.random.default_rng(seed)
    places = random_readings(rng, net.normalisation, targets)
    readings = [np.clip(place + rng.normal(0, 100, (20, len(place))), 0, 65535) for place in places]
    return Session([wire.astype(np.uint16) for wire in readings], rng.uniform(-10, 10, (targets, 2)))


def test_a_target_that_was_used_is_nearer_than_one_left_out():
    net, _ = random_net(2, "valid")
    calibration = session(net, 1, 6)
    found = judge(net, calibration, calibration)
    assert found["after_deg"] < found["left_out_deg"] < found["left_out_worst_deg"]
    assert found["unseen_deg"] < found["left_out_deg"]  # here they have been seen
    # Without an embedding a whole calibration afresh differs by the weight of the prior alone.
    assert found["afresh_deg"] == pytest.approx(found["left_out_deg"], rel=0.1)


def test_figures_are_of_the_wearers_and_points_asked_for(capsys):
    main(["bench", "left-out", "--wearers", "1", "--points", "5", "--json"])
    found = json.loads(capsys.readouterr().out)["points"]
    assert list(found) == ["5"]
    mean = found["5"]["mean"]
    assert found["5"]["ratio"] == pytest.approx(mean["left_out_deg"] / mean["unseen_deg"], abs=0.01)
    assert mean["after_deg"] < mean["unseen_deg"] < mean["unseen_worst_deg"]
    with pytest.raises(SystemExit, match="--wearers is 0"):
        main(["bench", "left-out", "--wearers", "0"])
