"""The device's clock in the host's time: close, never backwards, across wraps and other clocks."""

from __future__ import annotations

import numpy as np
import pytest

from psog.benchmarks.clock_link import JitteryLink
from psog.device.clock import DeviceClock, Probe, elapsed_us, fit_line


@pytest.mark.parametrize(
    ("ways", "drift"),
    [
        (("uniform", "uniform"), 100e-6),
        (("exponential", "exponential"), -100e-6),
        (("none", "exponential"), 100e-6),
    ],
)
def test_ten_milliseconds_of_jitter_leave_less_than_half_of_one(ways, drift):
    errors_s, _ = JitteryLink(*ways, drift=drift).errors_s(45.0, seed=1)
    assert np.percentile(np.abs(errors_s), 99) < 0.5e-3


@pytest.mark.parametrize("begin_us", [0, 2**32 - 3_000_000, 2**64 - 3_000_000, 2**63 - 3_000_000])
def test_a_wrap_of_the_device_counter_changes_nothing(begin_us):
    plain = JitteryLink().errors_s(5.0, seed=2)
    wrapped = JitteryLink(begin_us=begin_us).errors_s(5.0, seed=2)
    np.testing.assert_array_equal(plain[0], wrapped[0])


def test_times_never_go_back_while_the_estimate_is_corrected():
    link = JitteryLink("exponential", "exponential", jitter_s=0.05)
    _, given_s = link.errors_s(10.0, seed=3)
    assert np.all(np.diff(given_s) > 0)


def test_without_jitter_the_line_is_exact_but_for_a_microsecond():
    probes = [Probe(i, i + 0.002, round((i + 0.001) * 1.0001e6)) for i in range(60)]
    line = fit_line(probes)
    assert line.rate == pytest.approx(1 / 1.0001, abs=1e-6)
    assert line.host_time_s(round(30.5 * 1.0001e6)) == pytest.approx(30.5, abs=2e-6)
    assert line.uncertainty_s == pytest.approx(0.001, abs=2e-6)


def test_the_true_time_is_within_the_uncertainty_however_unequal_the_ways():
    probes = [Probe(i, i + 0.030, round((i + 0.028) * 1e6)) for i in range(20)]
    line = fit_line(probes)
    assert abs(line.host_time_s(10_000_000) - 10.0) <= line.uncertainty_s + 1e-6


def test_a_clock_that_starts_anew_is_learnt_anew_and_times_go_on():
    clock, given = DeviceClock(), []
    for i in range(20):
        assert clock.add(Probe(i, i + 0.002, round((i + 0.001) * 1e6)))
        given.append(clock.host_time_s(round((i + 0.001) * 1e6), i + 0.002))
    assert not clock.add(Probe(20, 20.002, 1000))  # switched off and on
    given += [clock.host_time_s(t_us, 20.0 + t_us * 1e-6) for t_us in (1500, 2000, 3000)]
    assert given[-1] == pytest.approx(20.003, abs=1e-3)
    assert given == sorted(given)


def test_a_sample_of_another_clock_has_no_time_until_that_is_known():
    clock = DeviceClock()
    clock.add(Probe(1.0, 1.002, 50_000_000))
    assert clock.host_time_s(50_001_000, 1.003) is not None
    assert clock.host_time_s(1000, 1.004) is None
    clock.add(Probe(1.1, 1.102, 97_000))
    assert clock.host_time_s(98_000, 1.104) == pytest.approx(1.102, abs=2e-3)


def test_no_time_lies_after_its_sample_has_arrived():
    clock = DeviceClock()
    clock.add(Probe(1.0, 1.002, 1_000_000))
    assert clock.host_time_s(900_000_000, 1.5) == 1.5
    assert clock.host_time_s(900_001_000, 1.6) == 1.6


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [(2**64 - 1, 1, 2), (1, 2**64 - 1, -2), (0, 0, 0), (2**32 - 1, 2**32 + 1, 2), (5, 2**63 + 5, -(2**63))],
)
def test_elapsed_time_goes_the_shorter_way_round(since, until, expected):
    assert elapsed_us(since, until) == expected
