"""The C runtime computes what psog.net.integer computes, to the bit."""

import ctypes

import numpy as np
import pytest

from psog.device.error_codes import DeviceErrorCode
from psog.device.identity import SIGNATURE_BYTES
from psog.errors import DeviceError, ShapeError
from psog.firmware_export.host_runtime import HostRuntime
from psog.firmware_export.image import read_image, write_image
from psog.firmware_export.packing import layer_packings
from psog.firmware_export.packings import INT4, PACKINGS, PAIRED
from psog.firmware_export.toolchain import build_library
from psog.headset import load_headset
from psog.net.ridge import solve_head
from tests.random_nets import PLANS, LayerPlan, grid_headset, random_net, random_readings

CASES = [
    (plan, seed, corners, packing)
    for packing in PACKINGS
    for plan in PLANS
    for seed in range(1 if packing in INT4 else 4)
    for corners in (False, True)
]


@pytest.mark.parametrize(("plan", "seed", "corners", "packing"), CASES)
def test_features_are_the_integer_networks(plan, seed, corners, packing):
    net, headset = random_net(seed, plan, corners=corners, pairable=packing in PAIRED, coarse=packing in INT4)
    wire = random_readings(np.random.default_rng(seed), net.normalisation, 1000)
    runtime = HostRuntime(write_image(net, headset, packing))
    expected = net.features(net.input(wire))
    np.testing.assert_array_equal(runtime.features(wire), expected)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize(("rows", "columns"), [(3, 3), (4, 16), (8, 5), (3, 21)])
def test_any_grid(rows, columns, packing):
    headset = grid_headset(rows, columns)
    net, _ = random_net(rows, "mixed", headset, pairable=packing in PAIRED, coarse=packing in INT4)
    wire = random_readings(np.random.default_rng(columns), net.normalisation, 300)
    np.testing.assert_array_equal(
        HostRuntime(write_image(net, headset, packing)).features(wire), net.features(net.input(wire))
    )


@pytest.mark.parametrize("packing", PAIRED)
@pytest.mark.parametrize(("rows", "columns"), [(1, 5), (2, 8), (3, 5), (3, 4), (4, 9), (5, 3)])
def test_a_pruned_network_on_any_grid(rows, columns, packing):
    headset = grid_headset(rows, columns)
    plan = (LayerPlan("conv", 12, "same"), LayerPlan("conv", 15, "same"), LayerPlan("dense", 6))
    net, _ = random_net(rows, plan, headset, planes=1, pairable=True, keep=0.2, coarse=packing in INT4)
    image = write_image(net, headset, packing)
    assert layer_packings(read_image(image).layers, packing) == ["int16", "sparse", packing]
    wire = random_readings(np.random.default_rng(columns), net.normalisation, 300)
    np.testing.assert_array_equal(HostRuntime(image).features(wire), net.features(net.input(wire)))


def test_a_ring_wrapped_by_repeating_its_columns():
    headset = load_headset("ring16")
    net, _ = random_net(7, "same", headset)
    wire = random_readings(np.random.default_rng(7), net.normalisation, 300)
    assert headset.grid.size > headset.sensor_count
    np.testing.assert_array_equal(
        HostRuntime(write_image(net, headset)).features(wire), net.features(net.input(wire))
    )


def test_gaze_is_the_head_of_the_features():
    net, headset = random_net(3, "valid")
    wire = random_readings(np.random.default_rng(3), net.normalisation, 500)
    np.testing.assert_allclose(HostRuntime(write_image(net, headset)).gaze(wire), net(wire), atol=1e-3)


@pytest.mark.parametrize("shift", range(4))
def test_an_image_lies_at_a_whole_word(shift):
    image = write_image(*random_net(5, "mixed"))[:-SIGNATURE_BYTES]
    buffer = ctypes.create_string_buffer(b"\0" * (shift + 8) + image)
    first_word = -ctypes.addressof(buffer) % 4
    ctypes.memmove(ctypes.addressof(buffer) + first_word + shift, image, len(image))
    place = ctypes.c_void_p(ctypes.addressof(buffer) + first_word + shift)
    error = ctypes.CDLL(str(build_library())).psog_host_check(place, ctypes.c_size_t(len(image)))
    assert error == (DeviceErrorCode.OK if shift == 0 else DeviceErrorCode.IMAGE)


def test_readings_of_another_headset_are_refused():
    net, headset = random_net(1)
    with pytest.raises(ShapeError, match=r"expected \(n, 15\)"):
        HostRuntime(write_image(net, headset)).features(np.zeros((3, 16), np.uint16))


def calibration(seed, samples, plan="valid"):
    """A runtime, its network, and the int8 features and targets of a made-up calibration."""
    net, headset = random_net(seed, plan)
    rng = np.random.default_rng(seed)
    features = net.features(net.input(random_readings(rng, net.normalisation, samples)))
    target_deg = rng.uniform(-1, 1, (samples, 2)) * headset.field_deg
    return HostRuntime(write_image(net, headset)), net, features, target_deg.astype(np.float32)


@pytest.mark.parametrize(("samples", "plan"), [(1, "same"), (9, "valid"), (900, "valid"), (5000, "deep")])
def test_the_fit_is_the_ridge_solution_around_the_population(samples, plan):
    runtime, net, features, target_deg = calibration(samples, samples, plan)
    real = net.real_features(features)
    fit = runtime.fit_head(features, target_deg)
    expected = solve_head(real, target_deg, net.head.weight, net.head.ridge)
    # What a head is for: the gaze it gives. Random features are far worse conditioned (6e8 with 64 of them
    # and 5,000 samples, where float32 is 0.009 degrees off) than trained ones.
    np.testing.assert_allclose(
        real @ fit.weight[:2, :-1].T + fit.weight[:2, -1],
        real @ expected[:, :-1].T + expected[:, -1],
        atol=2e-2,
    )
    np.testing.assert_array_equal(fit.weight[2], net.head.weight[2])


def test_the_fit_says_how_far_off_the_samples_were_before_and_after():
    runtime, net, features, target_deg = calibration(11, 400)
    fit = runtime.fit_head(features, target_deg)

    def rms(weight):
        gaze_deg = net.apply_head(features, weight)[:, :2].astype(np.float64)
        return np.sqrt(((gaze_deg - target_deg) ** 2).sum(axis=1).mean())

    assert fit.samples == 400
    assert fit.before_deg == pytest.approx(rms(net.head.weight), rel=1e-4)
    assert fit.after_deg == pytest.approx(rms(fit.weight), rel=1e-4)
    assert fit.after_deg < fit.before_deg


@pytest.mark.parametrize("bad", [[21.0, 0.0], [0.0, -16.0], [np.nan, 0.0], [0.0, np.inf]])
def test_a_target_outside_the_field_is_refused(bad):
    runtime, _, features, target_deg = calibration(2, 20)
    target_deg[7] = bad
    with pytest.raises(DeviceError, match="out of range"):
        runtime.fit_head(features, target_deg)


def test_a_fit_needs_samples():
    runtime, _, features, target_deg = calibration(2, 20)
    with pytest.raises(DeviceError, match="too few"):
        runtime.fit_head(features[:0], target_deg[:0])
