"""`psog flash --probe`, as far as it goes without a probe."""

import json

import pytest

from psog.cli.main import main
from psog.firmware_export.keys import new_key
from psog.firmware_export.toolchain import available_boards


def test_a_dry_run_says_what_would_be_written_and_needs_no_probe(capsys):
    if "netduinoplus2" not in available_boards():
        pytest.skip("no Arm compiler is installed")
    main(["flash", "--probe", "--dry-run", "--json"])
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert "the firmware trusts the development key" in err
    assert (document["part"], document["probe"]) == ("STM32F405RG", None)
    first = document["sectors"][0]
    assert first == {"start": 0x08000000, "size": 16384, "bytes": 16384, "did": None}
    assert sum(sector["bytes"] for sector in document["sectors"]) == document["bytes"]


def test_a_firmware_for_production_trusts_its_maker_alone(capsys, tmp_path):
    if "netduinoplus2" not in available_boards():
        pytest.skip("no Arm compiler is installed")
    own = new_key(tmp_path / "own.key").public.hex()
    production = ["flash", "--probe", "--dry-run", "--production"]
    main([*production, "--trust", own, "--headset", "ring16", "--json"])
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert err == ""
    assert (document["trusts"], document["headset"], document["production"]) == ([own], "ring16", True)
    with pytest.raises(SystemExit, match="does not trust the development key"):
        main([*production, "--headset", "ring16"])
    with pytest.raises(SystemExit, match="takes models for one headset only"):
        main([*production, "--trust", own])


def test_without_its_probe_it_says_so():
    pytest.importorskip("pyocd", reason="the extra psog[flash] is not installed")
    if "netduinoplus2" not in available_boards():
        pytest.skip("no Arm compiler is installed")
    with pytest.raises(SystemExit, match="no debug probe with 'no such probe' in its serial number is"):
        main(["flash", "--probe", "--probe-id", "no such probe"])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "a model is needed, or --probe"),
        (["--probe", "--port", "/dev/ttyACM0"], "needs no model and no --port"),
        (["--probe", "ring16"], "needs no model and no --port"),
        (["ring16", "--port", "/dev/ttyACM0", "--dry-run"], "add --probe"),
        (["ring16", "--port", "/dev/ttyACM0", "--production"], "add --probe"),
        (["--probe", "--key", "own.key"], "a firmware has --trust"),
        (["--probe", "--board", "host"], "invalid choice"),
    ],
)
def test_flags_that_do_not_belong_together_are_refused(words, complaint):
    with pytest.raises(SystemExit, match=complaint):
        main(["flash", *words])


def test_a_lean_firmware_is_smaller(capsys):
    if "netduinoplus2" not in available_boards():
        pytest.skip("no Arm compiler is installed")
    written = []
    for lean in ((), ("--lean", "ring16")):
        main(["flash", "--probe", "--dry-run", "--json", *lean])
        written.append(json.loads(capsys.readouterr().out)["bytes"])
    assert written[1] < written[0] - 4096
    with pytest.raises(SystemExit, match="--lean and --production are about firmware"):
        main(["flash", "ring16", "--lean", "ring16"])
