"""`psog bench clients`: one program for some seconds."""

import json

from psog.benchmarks.clients import Command, tables


def test_a_program_takes_the_readings_of_its_time(capsys):
    Command(short=True, json=True).run()
    document = json.loads(capsys.readouterr().out)
    assert list(document["programs"]) == ["psog record"]
    assert 3_900 <= document["programs"]["psog record"]["readings"] <= 4_100
    (row,) = tables(document)[0].rows
    assert row[0] == "psog record"
