"""Shards made by a real dask cluster of processes."""

import os
import signal
import sys
import time
from dataclasses import replace

import pytest

from psog.errors import MissingExtraError, SimulationError
from psog.sim.ambient import AMBIENTS
from psog.sim.cluster import Cluster
from psog.sim.production import Progress, produce
from psog.sim.program import program_digest
from psog.unfinished import unfinished_recording
from tests.sim.pair import digests, pair_config


@pytest.fixture(scope="module")
def dask_cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        yield cluster


def test_a_cluster_that_loses_a_worker_makes_the_same_recording(tmp_path, undisturbed, dask_cluster):
    from distributed import Client

    killed = []

    def kill_one(progress: Progress) -> None:
        if progress.shards == 2 and not killed:
            with Client(dask_cluster.scheduler_address, set_as_default=False) as client:
                killed.append(min(client.run(os.getpid).values()))
            os.kill(killed[0], signal.SIGKILL)

    workers = Cluster(dask_cluster.scheduler_address)
    made = produce(pair_config(tmp_path), tmp_path / "made", workers, progress=kill_one)
    assert killed
    assert made.shards == 6
    assert digests(tmp_path / "made") == undisturbed


def test_an_impossible_config_is_told_by_the_cluster(tmp_path, dask_cluster):
    config = replace(pair_config(tmp_path, users=1), ambient=AMBIENTS["sun"])
    with pytest.raises(SimulationError, match="photocurrents are not known"):
        produce(config, tmp_path / "made", Cluster(dask_cluster.scheduler_address))
    assert [path.name for path in tmp_path.iterdir()] == ["pair.toml"]


def is_busy(dask_scheduler):
    """Run on the scheduler: whether a worker is at work."""
    return any(worker.processing for worker in dask_scheduler.workers.values())


@pytest.mark.parametrize("fetched", [True, False], ids=["at work", "with shards made and not fetched"])
def test_a_cluster_left_without_workers_stops_and_keeps_what_is_finished(
    tmp_path, monkeypatch, dask_cluster, fetched
):
    from distributed import Client

    monkeypatch.setattr("psog.sim.cluster._PATIENCE_S", 3.0)
    config, out = pair_config(tmp_path), tmp_path / "made"
    dask_cluster.scale(2)
    dask_cluster.wait_for_workers(2)  # before patience begins to run out

    def retire_all(progress: Progress) -> None:
        if progress.shards == 1:
            with Client(dask_cluster.scheduler_address, set_as_default=False) as client:
                while not fetched and client.run_on_scheduler(is_busy):
                    time.sleep(0.05)
            dask_cluster.scale(0)

    with pytest.raises(SimulationError, match=r"has no workers.*is kept"):
        produce(config, out, Cluster(dask_cluster.scheduler_address), progress=retire_all)
    with unfinished_recording(out, {**config.to_json(), "program": program_digest()}) as work:
        assert 1 <= len(work.finished) < config.shards


def test_a_scheduler_that_is_not_there_is_told_in_one_line(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("psog.sim.cluster._PATIENCE_S", 0.3)
    with pytest.raises(SimulationError, match="cannot reach a dask scheduler at tcp:") as refused:
        produce(pair_config(tmp_path), tmp_path / "made", Cluster("tcp://127.0.0.1:9"))
    assert "\n" not in str(refused.value)


def test_the_extra_is_named_where_dask_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"psog\[scale\]"):
        Cluster("tcp://127.0.0.1:8786")
