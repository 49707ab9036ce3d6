"""What a program gets from a headset, checked against a peer that speaks the protocol on a real pty."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from psog.device.answers import TuneProgress, TuneResult
from psog.device.client import open_headset
from psog.device.conversation import CommandRefusedError
from psog.device.error_codes import DeviceErrorCode
from psog.device.identity import SIGNATURE_BYTES
from psog.device.installing import TrialFailedError
from psog.device.messages import PROTOCOL_VERSION, Stream
from psog.device.samples import FeatureSample, GazeSample, SensorSample, TrialSample
from psog.errors import LinkError, ProtocolError
from tests.device.peer import peer


def test_hello_tells_who_the_headset_is():
    with peer() as device, open_headset(device.port) as headset:
        assert (headset.info.board, headset.info.headset, headset.info.sensors) == ("peer", "ring16", 16)
        assert headset.info.calibrated is False


def test_streamed_samples_are_typed_and_in_order():
    with peer() as device, open_headset(device.port) as headset:
        headset.stream(Stream.GAZE | Stream.FEATURES | Stream.SENSORS | Stream.TRIAL)
        device.read_sensors(2)
        samples = list(headset.samples(count=8))
    kinds = [type(sample) for sample in samples]
    assert kinds == [GazeSample, TrialSample, FeatureSample, SensorSample] * 2
    gaze, _, features, sensors = samples[:4]
    assert (gaze.t_us, gaze.gaze_v_deg, gaze.valid, gaze.calibrated) == (1000, -1.0, True, False)
    np.testing.assert_array_equal(features.features, np.array([1, -1], np.int8))
    np.testing.assert_array_equal(sensors.readings, np.array([1, 65535], np.uint16))


def test_seconds_are_counted_by_the_clock_of_the_device_and_nothing_is_lost_at_the_end():
    with peer() as device, open_headset(device.port) as headset:
        headset.stream(Stream.GAZE)
        device.read_sensors(30)
        first = [sample.t_us for sample in headset.samples(seconds=0.010)]
        second = [sample.t_us for sample in headset.samples(seconds=0.010)]
    assert first == list(range(1000, 11000, 1000))
    assert second == list(range(11000, 21000, 1000))


def test_samples_that_arrive_during_a_target_are_kept():
    with peer() as device, open_headset(device.port) as headset:
        headset.stream(Stream.GAZE)
        assert headset.tune_target(1.0, 2.0, 50) == TuneProgress(50, 1, 0, 0)
        assert [s.t_us for s in headset.samples(count=50)] == list(range(1000, 51000, 1000))


def test_dropped_samples_do_not_come_back():
    with peer() as device, open_headset(device.port) as headset:
        headset.stream(Stream.GAZE)
        device.read_sensors(10)
        headset.status()  # its answer comes after the samples: they have arrived
        headset.drop_samples()
        device.read_sensors(1)
        assert next(headset.samples()).t_us == 11000


def test_commands_reach_the_device():
    with peer() as device, open_headset(device.port) as headset:
        headset.show_target(3.0, -4.0)
        assert device.target == (3.0, -4.0, True)
        headset.hide_target()
        assert device.target[2] is False
        headset.tune_begin()
        assert headset.tune_solve() == TuneResult(90, 9, 4.0, 1.0, 1.5, 2.0, 3.0, 0.125, 0)
        headset.tune_accept()
        headset.tune_discard()
        headset.calibration_erase()
        assert headset.status().dropped == 3
    names = [name for name, _ in device.carried_out]
    for name in ("TUNE_BEGIN", "TUNE_SOLVE", "TUNE_ACCEPT", "TUNE_DISCARD", "CALIBRATION_ERASE"):
        assert names.count(name) == 1


def test_streaming_is_off_after_leaving():
    with peer() as device:
        with open_headset(device.port) as headset:
            headset.stream(Stream.GAZE)
            assert device.mask == Stream.GAZE
        assert device.mask == Stream(0)


def test_what_was_streamed_to_an_earlier_program_is_forgotten():
    with peer() as device:
        device.mask = Stream.GAZE
        device.read_sensors(5)
        with open_headset(device.port) as headset:
            headset.stream(Stream.GAZE)
            device.read_sensors(1)
            assert next(headset.samples()).t_us == 6000
            assert headset.losses.lost == 0


def test_unanswered_command_is_repeated_and_carried_out_once():
    with peer(deaf_to={"TUNE_BEGIN": 2}) as device, open_headset(device.port, timeout_s=0.1) as headset:
        headset.tune_begin()
        assert [name for name, _ in device.carried_out].count("TUNE_BEGIN") == 1


def test_lost_answer_does_not_carry_a_command_out_twice():
    lost = []

    def lose_one_ack(index: int, data: bytes) -> bytes:
        if index == 2 and not lost:
            lost.append(index)
            return b""
        return data

    with peer(wire=lose_one_ack) as device, open_headset(device.port, timeout_s=0.1) as headset:
        headset.tune_begin()
        assert lost
        assert [name for name, _ in device.carried_out].count("TUNE_BEGIN") == 1


def test_silent_device_is_given_up_after_three_tries():
    with peer(deaf_to={"TUNE_BEGIN": 9}) as device, open_headset(device.port, timeout_s=0.05) as headset:
        with pytest.raises(LinkError, match=r"does not answer TUNE_BEGIN \(3 × 0.05 s\)"):
            headset.tune_begin()
        assert device.deaf_to["TUNE_BEGIN"] == 6


def test_refusal_says_why():
    refuse = {"TUNE_SOLVE": DeviceErrorCode.TOO_FEW}
    with peer(refuse=refuse) as device, open_headset(device.port) as headset:
        with pytest.raises(CommandRefusedError, match="too few calibration samples") as caught:
            headset.tune_solve()
        assert caught.value.code is DeviceErrorCode.TOO_FEW


def test_other_protocol_version_is_named():
    with (
        peer(version=99) as device,
        pytest.raises(ProtocolError, match=rf"version 99.*version {PROTOCOL_VERSION}"),
    ):
        open_headset(device.port)


def test_silent_port_is_no_headset():
    with peer(silent=True) as device, pytest.raises(LinkError, match="answers as a psog headset"):
        open_headset(device.port, timeout_s=0.05)


def test_lost_and_damaged_frames_are_counted_exactly():
    def wire(index: int, data: bytes) -> bytes:
        if index in (5, 6):
            return b""
        if index in (9, 12, 13):
            return data[:3] + bytes([data[3] ^ 1 or 2]) + data[4:]
        return data

    with peer(wire=wire) as device, open_headset(device.port) as headset:
        headset.stream(Stream.GAZE)
        device.read_sensors(20)
        headset.stream(Stream(0))
        delivered = list(headset.samples(count=15))
        assert (headset.losses.lost, headset.losses.damaged) == (5, 3)
        assert str(headset.losses) == "3 frames damaged, 5 lost of 22"
    assert len({sample.t_us for sample in delivered}) == 15


def test_repeated_frames_are_delivered_once():
    with peer(wire=lambda index, data: data * 2) as device, open_headset(device.port) as headset:
        headset.stream(Stream.GAZE)
        device.read_sensors(10)
        headset.status()
        assert [s.t_us for s in headset.samples(count=10)] == list(range(1000, 11000, 1000))
        assert (headset.losses.lost, headset.losses.restarts) == (0, 0)


def test_unplugged_while_streaming():
    with peer() as device, open_headset(device.port) as headset:
        headset.stream(Stream.GAZE)
        device.read_sensors(3)
        threading.Thread(target=device.close).start()
        with pytest.raises(LinkError, match="has gone"):
            list(headset.samples())


def test_headset_without_sensors_is_noticed():
    with peer() as device, open_headset(device.port) as headset:
        headset.stream(Stream.GAZE)
        with pytest.raises(LinkError, match=r"no sample for 0.05 s"):
            next(headset.samples(timeout_s=0.05))


def test_upload_sends_the_image_whole_and_tells_its_progress():
    image = bytes(range(256)) * 3 + b"tail" + bytes(SIGNATURE_BYTES)
    seen = []
    with peer(readings=1) as device, open_headset(device.port) as headset:
        info = headset.upload(image, lambda done, total: seen.append((done, total)))
        assert device.installed == image
        assert info.model_crc32 == int.from_bytes(b"tail", "little")
    assert seen[-1] == (len(image), len(image))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_refused_image_leaves_the_old_model():
    refuse = {"MODEL_COMMIT": DeviceErrorCode.SELF_TEST}
    with peer(readings=1) as device, open_headset(device.port) as headset:
        headset.upload(b"old model 12")
        device.refuse = refuse
        with pytest.raises(CommandRefusedError, match="does not reproduce its own test vector"):
            headset.upload(b"new model 34")
        assert device.installed == b"old model 12"


def test_an_upload_goes_on_where_the_headset_says():
    image = bytes(range(256)) * 3 + b"tail" + bytes(SIGNATURE_BYTES)
    with peer(readings=1) as device, open_headset(device.port) as headset:
        with pytest.raises(InterruptedError):
            headset.upload(image, stop_after_two_pieces)
        seen = []
        headset.upload(image, lambda done, _total: seen.append(done))
        assert seen == [384, 576, 768, 836]
        assert device.installed == image


def stop_after_two_pieces(done: int, _total: int) -> None:
    if done == 384:
        raise InterruptedError


def test_damage_that_an_earlier_upload_left_is_sent_again():
    image = bytes(range(256)) * 3 + b"tail" + bytes(SIGNATURE_BYTES)
    with peer(readings=1) as device, open_headset(device.port) as headset:
        with pytest.raises(InterruptedError):
            headset.upload(image, stop_after_two_pieces)
        device.uploading[5] ^= 1
        device.expected = image
        headset.upload(image)
        assert device.installed == image


def test_a_model_without_gaze_is_not_confirmed_and_the_headset_goes_back():
    with peer(readings=1) as device, open_headset(device.port) as headset:
        headset.upload(b"old model 12")
        device.blind = True
        with pytest.raises(TrialFailedError, match="readings come, but no gaze"):
            headset.upload(b"new model 34")
        assert device.installed == b"old model 12"
        assert not headset.info.trial


def test_a_headset_that_dies_of_a_model_is_told_apart():
    with peer(readings=1) as device, open_headset(device.port, timeout_s=0.05) as headset:
        headset.upload(b"old model 12")
        device.dies_of = b"new model 34"
        with pytest.raises(TrialFailedError, match="which it keeps"):
            headset.upload(b"new model 34")


def test_restart_connects_again_with_streaming_off():
    with peer() as device, open_headset(device.port) as headset:
        headset.stream(Stream.GAZE)
        assert headset.restart().board == "peer"
        assert device.mask == Stream(0)
        assert headset.status().readings == 5
        assert headset.losses.lost == 0


def test_noisy_line_delivers_nothing_wrong_and_counts_every_loss():
    random = np.random.default_rng(5)

    def flip_bits(index: int, data: bytes) -> bytes:
        if index < 3:  # hello and the first acknowledgements
            return data
        bits = np.unpackbits(np.frombuffer(data, np.uint8))
        return np.packbits(bits ^ (random.random(len(bits)) < 2e-4)).tobytes()

    with peer(wire=flip_bits) as device, open_headset(device.port, timeout_s=0.2) as headset:
        headset.stream(Stream.GAZE)
        device.read_sensors(3000)
        device.wire = lambda index, data: data
        headset.status()
        headset.status()  # the first one's answer may have been glued to a damaged frame
        losses = headset.losses
        delivered = list(headset.samples(count=losses.received - 5))
    assert losses.lost > 50
    assert losses.received + losses.lost == 3001 + 4  # STREAM_SET's answer, samples, two answers of two
    assert all(sample.gaze_h_deg == np.float32(sample.t_us / 1e6) for sample in delivered)
    assert len({sample.t_us for sample in delivered}) == 3000 - losses.lost
