"""`psog bench link`: in seconds what `make soak` does in minutes; and that it tells when a link is wrong."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from psog.benchmarks.link_check import link_figures
from psog.benchmarks.link_client import DELIVERED, Received
from psog.benchmarks.link_run import Ledger, Run
from psog.cli.main import main
from psog.device.frames import Frame
from psog.device.losses import Losses
from psog.device.messages import GAZE, HELLO
from psog.firmware_export.toolchain import available_boards
from psog.virtual.faults import Fate

OUTPUT = np.array([[1.0, 2.0, 0.95, 0.5], [-3.0, 4.0, 1.0, 0.0]], np.float32)
LOST = Fate(arrived=False, unharmed=False, copies=1, bit_errors=1)
WHOLE = Fate(arrived=True, unharmed=True, copies=1, bit_errors=0)


def bench(board: str, capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    """What the command prints."""
    if board not in available_boards():
        pytest.skip(f"no compiler or emulator for {board} is installed")
    main(["bench", "link", "--board", board, "--json", *words])
    return json.loads(capsys.readouterr().out)


def test_nothing_is_lost_on_a_good_line_and_a_host_that_stops_learns_what_it_missed(capsys):
    found = bench("host", capsys, "--seconds", "1", "--pause-seconds", "2", "--faulty-seconds", "0")
    good, paused = found["good"], found["paused"]
    assert (good["delivered"], good["corrupt"], good["reported"]) == (1000, 0, 0)
    assert paused["processed"] == paused["delivered"] + paused["dropped"] == 4000
    assert paused["reported"] == paused["dropped"] > 0


@pytest.mark.parametrize("board", ["host", "mps2-an386"])
def test_a_bad_line_delivers_nothing_corrupt_and_every_loss_is_told(board, capsys):
    found = bench(board, capsys, "--seconds", "0", "--pause-seconds", "0", "--faulty-seconds", "2")["faulty"]
    assert found["reported"] == found["lost"] > 30
    assert found["corrupt"] == 0
    assert found["damaged"] > 20
    assert found["resynchronised_by"] <= 2


def a_run(count: int = 20, lost: tuple[int, ...] = (), *, ledger: bool = True) -> Run:
    """As of a client that was given every sample but those that the line lost, and reported them."""
    sent_us = 1000 * np.arange(1, count + 1, dtype=np.int64)
    delivered, line = [], Ledger()
    line.note(Frame(HELLO.code, 6, bytes(50)), WHOLE)  # before the client counts
    for k, t_us in enumerate(sent_us.tolist()):
        h_deg, v_deg, openness, ln = OUTPUT[k % 2].tolist()
        error_deg = float(np.exp(np.float32(ln)))
        values = {"gaze_h_deg": h_deg, "gaze_v_deg": v_deg, "openness": openness}
        payload = GAZE.pack({"t_us": t_us, **values, "expected_error_deg": error_deg, "flags": 1})
        line.note(Frame(GAZE.code, 7 + k, payload), LOST if k in lost else WHOLE)
        if k not in lost:
            delivered.append((7 + k, t_us, (h_deg, v_deg, openness, error_deg), 1, t_us + 400))
    losses = Losses(count - len(lost), len(lost), 0, 0)
    received = Received(0.001, 0.02, losses, 0 if ledger else len(lost), count)
    return Run(sent_us, np.array(delivered, DELIVERED), received, line if ledger else None, 0.0)


def test_figures_of_a_run_without_loss():
    found = link_figures(a_run(ledger=False), OUTPUT)
    assert found.sound
    assert (found.sent, found.delivered, found.corrupt, found.lost, found.reported) == (20, 20, 0, 0, 0)
    assert (found.p50_ms, found.p99_ms, found.max_ms, found.cpu_percent) == (0.4, 0.4, 0.4, 5.0)


@pytest.mark.parametrize("ledger", [True, False])
def test_losses_that_are_reported_are_sound(ledger):
    found = link_figures(a_run(lost=(3, 9, 10), ledger=ledger), OUTPUT)
    assert found.sound
    assert (found.lost, found.reported, found.delivered) == (3, 3, 17)


@pytest.mark.parametrize("reported", [2, 4])
@pytest.mark.parametrize("ledger", [True, False])
def test_a_loss_too_few_or_too_many_is_found(ledger, reported):
    run = a_run(lost=(3, 9, 10), ledger=ledger)
    received = run.received._replace(losses=run.received.losses._replace(lost=reported))
    assert not link_figures(replace(run, received=received), OUTPUT).sound


@pytest.mark.parametrize(
    ("field", "value"),
    [("output", 1.0001), ("output", 7.0), ("output", np.nan), ("flags", 0), ("t_us", 3001), ("t_us", 2000)],
)
@pytest.mark.parametrize("ledger", [True, False])
def test_a_changed_sample_is_found(field, value, ledger):
    run = a_run(ledger=ledger)
    sample = run.delivered[field][2]
    if field == "output":
        sample[0] = value
    else:
        run.delivered[field][2] = value
    found = link_figures(run, OUTPUT)
    assert found.corrupt == 1
    assert not found.sound


def test_a_sample_that_did_not_arrive_but_is_delivered_is_found():
    run = a_run(lost=(3,))
    forged = np.insert(run.delivered, 3, a_run().delivered[3])
    assert not link_figures(replace(run, delivered=forged), OUTPUT).sound


def test_frames_that_are_intact_and_not_received_are_counted_behind_damage():
    joined = Fate(arrived=False, unharmed=True, copies=1, bit_errors=0)
    run = a_run(lost=(3, 4, 5))
    assert run.ledger is not None
    for index, by in ((5, 2), (6, 3)):  # the frames behind frame 3; the HELLO is before them
        run.ledger.unharmed[index] = joined.unharmed
        found = link_figures(run, OUTPUT)
        assert (found.resynchronised_by, found.sound) == (by, by == 2)


def test_a_reading_that_the_device_did_not_process_is_found():
    run = a_run()
    assert not link_figures(replace(run, received=run.received._replace(readings=19)), OUTPUT).sound


@pytest.mark.parametrize("flag", ["--seconds", "--pause-seconds", "--faulty-seconds"])
def test_times_that_make_no_sense_are_refused(flag, capsys):
    with pytest.raises(SystemExit, match=f"{flag} is -1; expected 0, or 1 to"):
        main(["bench", "link", flag, "-1"])


def test_nothing_to_do_is_refused():
    with pytest.raises(SystemExit, match="every line is left out"):
        main(["bench", "link", "--seconds", "0", "--pause-seconds", "0", "--faulty-seconds", "0"])
