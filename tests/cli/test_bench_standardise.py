"""`psog bench standardise`: it finds the gains that were changed, and tells so in one document."""

import json

import numpy as np
import pytest

from psog.benchmarks.standardise import AS_IT_IS, MEASURES, ON_DEVICE, TRUE, WAYS, tables
from psog.benchmarks.standardise_wearers import DEVICES, DIMMED, OTHERS, SOUND, wearers
from psog.cli.main import main
from psog.headset import load_headset

AGED = "LEDs at 50 to 100 %"


def test_a_wearer_depends_on_the_seed_and_the_number_alone():
    headset = load_headset("ring16")
    (few,) = wearers(headset, 1, 0.2, 5, (0.0,))
    more = list(wearers(headset, 2, 0.2, 5, (0.0,)))
    assert tuple(few) == DEVICES
    for device, worn in few.items():
        np.testing.assert_array_equal(worn.wire, more[0][device].wire)
        np.testing.assert_array_equal(worn.episodes.readings, more[0][device].episodes.readings)
    assert (more[1][AGED].gain != few[AGED].gain).all()
    ratio = few[DIMMED].wire.mean(axis=0) / few[SOUND].wire.mean(axis=0)
    np.testing.assert_allclose(ratio, 0.7, atol=0.01)
    assert few[OTHERS].wire.shape == few[SOUND].wire.shape


@pytest.mark.usefixtures("one_thread")
def test_the_short_form_tells_every_way_of_every_headset(capsys):
    main(["bench", "standardise", "--short", "--json"])
    document = json.loads(capsys.readouterr().out)
    (devices,) = document["headsets"].values()
    assert set(devices) == set(DEVICES)
    for ways in devices.values():
        assert set(ways) == set(WAYS) and set(ways[TRUE]) == set(MEASURES)
    as_it_is, on_device, truly = (devices[AGED][way]["9 points"] for way in (AS_IT_IS, ON_DEVICE, TRUE))
    assert truly["median_deg"] < on_device["median_deg"] < as_it_is["median_deg"]
    assert on_device["better"] == 2
    (table,) = tables(document)
    assert len(table.rows) == len(DEVICES) * len(WAYS)


def test_what_cannot_be_asked_is_said():
    for words, why in (
        (["--users", "1"], "2 users or more"),
        (["--headsets", "ring17"], "no model of 'ring17'"),
    ):
        with pytest.raises(SystemExit, match=why):
            main(["bench", "standardise", *words])
