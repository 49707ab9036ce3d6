"""`psog bench precision`: every precision is judged on the same users, and what it costs stands beside it."""

import json

import pytest

from psog.benchmarks.precision import tables
from psog.cli.main import main


@pytest.mark.usefixtures("one_thread")
def test_every_precision_is_judged_on_the_same_users(capsys):
    main(["bench", "precision", "ring16", "--short", "--json"])
    document = json.loads(capsys.readouterr().out)
    found = document["headsets"]["ring16"]
    assert found["of_four_bits"] == [1]
    ways = found["ways"]
    assert list(ways)[:3] == ["int8", "float", "int16 activations"] and len(ways) == 7
    assert ways["int8"]["difference_deg"] == [[0.0, 0.0], [0.0, 0.0]]
    for figures in ways.values():
        for slip in range(2):
            above = figures["mean_deg"][slip][0] - ways["int8"]["mean_deg"][slip][0]
            assert figures["difference_deg"][slip][0] == pytest.approx(above, abs=2e-4)
    assert [one["layer"] for one in found["layers"]] == [1, 2, 3]
    assert found["image"]["weights of layer 1 (dense 96×256)"] == 96 * 256
    for packings in found["costs"].values():
        sizes = [packings[packing]["flash_model_bytes"] for packing in ("int16", "int8", "int4")]
        assert sizes == sorted(sizes, reverse=True)
        assert all(figures["bit_exact"] for figures in packings.values())
    assert "| +0.000 (0.000) |" in tables(document)[0].markdown()


def test_a_run_needs_users_and_a_model():
    with pytest.raises(SystemExit, match="--users is 0; expected at least 1"):
        main(["bench", "precision", "--users", "0"])
    with pytest.raises(SystemExit, match="no-such-model"):
        main(["bench", "precision", "no-such-model"])
