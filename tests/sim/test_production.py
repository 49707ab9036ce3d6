"""A recording is the same whoever makes it, and a stop at any moment loses nothing that is finished."""

import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from psog.errors import RecordingError, SimulationError
from psog.recording import iterate_recording, read_recording
from psog.sim.ambient import AMBIENTS
from psog.sim.pool import LocalPool
from psog.sim.production import Progress, produce
from psog.sim.simulate import simulate, simulate_shard
from psog.unfinished import unfinished_recording
from tests.sim.pair import digests, pair_config, pair_file

USERS = 6


def command(tmp_path, *words):
    base = [sys.executable, "-m", "psog", "simulate", str(pair_file(tmp_path))]
    options = ["--users", str(USERS), "--seconds", "60", "--seed", "7", "--out", str(tmp_path / "made")]
    return [*base, *options, *words]


class Quitters:
    """Workers that make some shards and then no more, without a word."""

    def __init__(self, count):
        self._count = count

    def make(self, order, numbers):
        return LocalPool(1).make(order, list(numbers)[: self._count])


def test_a_recording_is_not_complete_when_workers_stop_early(tmp_path):
    config, out = pair_config(tmp_path), tmp_path / "made"
    with pytest.raises(SimulationError, match=r"stopped after 2 of 6 shards.*kept"):
        produce(config, out, Quitters(2))
    assert not out.exists()
    assert produce(config, out, LocalPool(1)).resumed_shards == 2


def stopped_half_way(config, out, after=2):
    """Make a recording and stop as Ctrl-C does once `after` shards are finished."""

    def stop(progress: Progress) -> None:
        if progress.shards == after:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        produce(config, out, LocalPool(1), progress=stop)


def journal_lines(tmp_path):
    try:
        return (tmp_path / "made.unfinished" / "journal.jsonl").read_bytes().splitlines()[1:]
    except OSError:
        return []


def test_the_bytes_do_not_depend_on_the_number_of_workers(tmp_path, undisturbed):
    """One made the undisturbed recording; tests below have two."""
    made = produce(pair_config(tmp_path), tmp_path / "made", LocalPool(3))
    assert digests(tmp_path / "made") == undisturbed
    assert (made.shards, made.samples, made.resumed_shards) == (USERS, USERS * 60_000, 0)


def test_what_is_on_the_disk_is_what_is_simulated_in_memory(tmp_path):
    config = pair_config(tmp_path, users=3, seconds=2.0)
    produce(config, tmp_path / "made", LocalPool(1))
    back, whole = read_recording(tmp_path / "made"), simulate(config)
    np.testing.assert_array_equal(back.readings, whole.readings)
    np.testing.assert_array_equal(back.t_us, whole.t_us)
    assert back.provenance == whole.provenance


def test_a_killed_worker_is_replaced_and_its_shard_made_again(tmp_path, undisturbed):
    killed = []

    def kill_one(progress: Progress) -> None:
        if progress.shards == 2 and not killed:
            killed.append(multiprocessing.active_children()[0])
            os.kill(killed[0].pid, signal.SIGKILL)

    produce(pair_config(tmp_path), tmp_path / "made", LocalPool(2), progress=kill_one)
    assert killed
    assert digests(tmp_path / "made") == undisturbed


def test_a_program_killed_half_way_goes_on_without_repeating_or_losing_a_shard(tmp_path, undisturbed):
    program = subprocess.Popen(command(tmp_path, "--workers", "2"), start_new_session=True)
    while len(journal_lines(tmp_path)) < 2:
        assert program.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    program.kill()
    program.wait()
    until = time.monotonic() + 30
    with suppress(ProcessLookupError):  # its workers end with it
        while time.monotonic() < until:
            os.killpg(program.pid, 0)
            time.sleep(0.05)
        pytest.fail("the workers of a killed program live on")
    with pytest.raises(RecordingError, match=r"made is unfinished: .* again"):
        read_recording(tmp_path / "made")
    finished = [json.loads(line)["shard"] for line in journal_lines(tmp_path)]
    assert 2 <= len(finished) < USERS
    out, place = tmp_path / "made", tmp_path / "made.unfinished"
    before = {f"part-{k:05d}.parquet": (place / f"part-{k:05d}.parquet").stat().st_ino for k in finished}

    again = subprocess.run(command(tmp_path, "--workers", "2", "--json"), capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    found = json.loads(again.stdout)
    keys = ["folder", "users", "samples", "shards", "resumed_shards", "seconds", "samples_per_s"]
    assert list(found) == keys
    assert [found[key] for key in keys[:5]] == [str(out), USERS, USERS * 60_000, USERS, len(finished)]
    assert digests(tmp_path / "made") == undisturbed
    assert {name: (tmp_path / "made" / name).stat().st_ino for name in before} == before
    assert not place.exists()


def test_a_stopped_recording_goes_on_only_with_the_same_config(tmp_path, undisturbed):
    out = tmp_path / "made"
    stopped_half_way(pair_config(tmp_path), out)
    with pytest.raises(RecordingError, match=r"begun with another users, seed;.*--force"):
        produce(pair_config(tmp_path, users=5, seed=8), out, LocalPool(1))
    assert produce(pair_config(tmp_path), out, LocalPool(1)).resumed_shards == 2
    assert digests(out) == undisturbed


def test_force_throws_an_unfinished_recording_of_another_config_away(tmp_path):
    out = tmp_path / "made"
    stopped_half_way(pair_config(tmp_path), out)
    config = pair_config(tmp_path, users=2, seconds=0.5)
    assert produce(config, out, LocalPool(1), force=True).resumed_shards == 0
    assert len(read_recording(out)) == 1000
    assert set(digests(out)) == {"manifest.json", "part-00000.parquet"}


def test_a_finished_recording_stays_until_its_forced_successor_is_complete(tmp_path):
    out = tmp_path / "made"
    produce(pair_config(tmp_path, users=1, seconds=0.5), out, LocalPool(1))
    with pytest.raises(RecordingError, match="already exists"):
        produce(pair_config(tmp_path), out, LocalPool(1))
    stopped_half_way_with_force = pair_config(tmp_path, users=3)

    def stop(progress: Progress) -> None:
        if progress.shards == 1:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        produce(stopped_half_way_with_force, out, LocalPool(1), force=True, progress=stop)
    assert len(read_recording(out)) == 500
    assert produce(stopped_half_way_with_force, out, LocalPool(1), force=True).resumed_shards == 1
    assert sum(map(len, iterate_recording(out))) == 3 * 60_000


def test_a_damaged_shard_or_journal_line_is_made_again(tmp_path, undisturbed):
    out, place = tmp_path / "made", tmp_path / "made.unfinished"
    stopped_half_way(pair_config(tmp_path), out, after=4)
    shard = place / "part-00001.parquet"
    shard.write_bytes(shard.read_bytes()[:-1])
    (place / "part-00002.parquet").unlink()
    with (place / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"shard": 5, "ro')  # what a power cut leaves
    (place / ".part-00005.parquet-99-beef").write_bytes(b"half a shard")
    assert produce(pair_config(tmp_path), out, LocalPool(1)).resumed_shards == 2
    assert digests(out) == undisturbed


def test_two_programs_do_not_make_the_same_recording(tmp_path):
    out = tmp_path / "made"
    with (
        unfinished_recording(out, {"seed": 1}),
        pytest.raises(RecordingError, match="by another program"),
        unfinished_recording(out, {"seed": 1}),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_someone_else_is_in_the_way(tmp_path):
    (tmp_path / "made.unfinished").mkdir()
    (tmp_path / "made.unfinished" / "thesis.txt").write_text("mine")
    with pytest.raises(RecordingError, match="in the way"):
        produce(pair_config(tmp_path), tmp_path / "made", LocalPool(1), force=True)
    assert (tmp_path / "made.unfinished" / "thesis.txt").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="Not a directory"):
        produce(pair_config(tmp_path), tmp_path / "file" / "made", LocalPool(1))


def test_no_room_for_a_shard_is_told_in_one_line_and_leaves_nothing(tmp_path):
    """A limit on the size of files stands for a full disk."""

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    run = subprocess.run(command(tmp_path), capture_output=True, text=True, preexec_fn=little_room)
    assert run.returncode == 1
    assert "cannot write" in run.stderr and "File too large" in run.stderr
    assert run.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["pair.toml"]


def test_an_impossible_config_leaves_nothing(tmp_path):
    config = replace(pair_config(tmp_path), ambient=AMBIENTS["sun"])
    with pytest.raises(SimulationError, match="photocurrents are not known"):
        produce(config, tmp_path / "made", LocalPool(1))
    assert [path.name for path in tmp_path.iterdir()] == ["pair.toml"]


def test_no_workers_are_refused():
    with pytest.raises(SimulationError, match="0 workers"):
        LocalPool(0)


def test_a_long_stretch_comes_in_small_parts(tmp_path):
    """A whole day of one user is one shard; its first part is there at once."""
    parts = simulate_shard(pair_config(tmp_path, users=1, seconds=86_400.0), 0)
    assert max(len(next(parts)) for _ in range(3)) < 20_000


def test_shards_of_short_stretches_hold_whole_users(tmp_path):
    config = pair_config(tmp_path, users=450, seconds=0.5)
    assert [config.users_of(k) for k in range(config.shards)] == [
        range(0, 200),
        range(200, 400),
        range(400, 450),
    ]
    with pytest.raises(SimulationError, match="no shard 3"):
        config.users_of(3)
