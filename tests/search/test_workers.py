"""Who runs the jobs: each gives every job back with what came of it."""

import json

import pytest

from psog.errors import SearchError
from psog.search.workers import Here, Processes, Scheduler, job

JOBS = [job("trial", index=k) for k in range(3)]


@pytest.fixture(scope="module")
def scheduler():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


def test_a_job_that_cannot_be_done_says_why(tmp_path):
    for each, result in Here().do(tmp_path, JOBS):
        assert each in JOBS
        assert "cannot read the search in" in json.loads(result)["error"]


def test_a_scheduler_does_what_this_process_does(scheduler, tmp_path):
    assert dict(Scheduler(scheduler).do(tmp_path, JOBS)) == dict(Here().do(tmp_path, JOBS))


def test_a_scheduler_that_is_not_there_is_told_in_one_line(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("psog.search.workers._PATIENCE_S", 0.2)
    with pytest.raises(SearchError, match="does not answer"):
        list(Scheduler("tcp://127.0.0.1:1").do(tmp_path, JOBS))


def test_no_processes_do_nothing():
    with pytest.raises(SearchError, match="0 processes"):
        Processes(0)
