"""`psog bench points` and `psog bench still`: their short forms."""

import json

import pytest

from psog.benchmarks import points, still
from psog.errors import PsogError


def document(command, capsys):
    command.run()
    return json.loads(capsys.readouterr().out)


def test_more_points_leave_less_error_than_none(capsys):
    found = document(points.Command(short=True, json=True), capsys)["points"]
    assert set(found) == {"1", "5", "9", "13"}
    for one in found.values():
        assert one["mean_deg"] < one["before_deg"]
    assert found["9"]["mean_deg"] < found["1"]["mean_deg"]
    assert len(points.tables({"model": "ring16", "wearers": 4, "seed": 0, "points": found})[0].rows) == 4


def test_fixations_rest_and_blinks_and_saccades_mostly_do_not(capsys):
    found = document(still.Command(short=True, json=True), capsys)
    for shares in found["rates_hz"].values():
        settled, fixations, saccades, blinks = shares.values()
        assert settled >= fixations > 0.5 > max(saccades, blinks)
    (table,) = still.tables(found)
    assert table.rows[0][0] == "of fixations that have lasted for 100 ms"


def test_a_scatter_needs_two_wearers():
    with pytest.raises(PsogError, match="at least 2"):
        points.Command(wearers=1).run()
