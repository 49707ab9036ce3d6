"""Whatever a file or a link holds: it is read, or refused in one line. Nothing else is ever raised."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from psog.device.frames import Decoder, Frame, encode
from psog.device.messages import BY_CODE, MAX_PAYLOAD, Message
from psog.errors import ProtocolError, PsogError
from psog.headset import load_headset
from psog.recording import Recording, read_recording, write_recording
from psog.third_party import read_eyelink_trace, read_psog_nn
from psog.unfinished import unfinished_recording

quick = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
DEEP = b"[" * 20_000
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def refused_or_read(read: Callable[[], object]) -> bool:
    """Whether it was read."""
    try:
        read()
    except PsogError as error:
        assert str(error)
        return False
    return True


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """The same bytes with a few changed, taken out or put in."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        data[at : at + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    return bytes(data)


HEADSET = Path(str(resources.files("psog.headsets"))) / "ring16.toml"


@quick
@given(damaged(HEADSET.read_bytes()) | st.binary(max_size=200))
@example(b"a = " + DEEP)
@example(b"rate_hz = 9" + b"9" * 5000)
def test_a_headset_file(tmp_path, content):
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    refused_or_read(lambda: load_headset(str(path)))


COLUMNS = ("posx", "posy", "smh", "smv", "pupil_size", *(f"sr_{i}" for i in range(15)))
TABLE = "\t".join(("", *COLUMNS)) + "\n" + "\t".join(["0", *["0.5"] * 20]) + "\n"


@quick
@given(damaged(TABLE.encode()) | st.binary(max_size=200))
@example(TABLE.encode() + b"\t".join([b"1e999"] * 21))
@example(TABLE.encode() + b"\t".join([b"9" * 5000] * 21))
def test_a_table_of_signals_by_others(tmp_path, content):
    path = tmp_path / "theirs.csv"
    path.write_bytes(content)
    refused_or_read(lambda: read_psog_nn(path))


def trace() -> bytes:
    array = np.zeros(4, [("t", "f8"), ("x", "f4"), ("y", "f4"), ("status", "?"), ("evt", "u1")])
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npy_of_shape(shape: str) -> bytes:
    """A header that claims so many samples, and none of them."""
    descr = "[('t', '<f8'), ('x', '<f4'), ('y', '<f4'), ('status', '?'), ('evt', 'u1')]"
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


@quick
@given(damaged(trace()) | st.binary(max_size=200))
@example(npy_of_shape("(1000000000000000,)"))
@example(npy_of_shape("(-4,)"))
@example(npy_of_shape("(4,)"))
@example(npy_of_shape("(((((4)))))"))
@example(npy_of_shape("(" * 500))
def test_a_gaze_trace_by_others(tmp_path, content):
    path = tmp_path / "theirs.npy"
    path.write_bytes(content)
    refused_or_read(lambda: read_eyelink_trace(path))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "recording"
    readings = np.arange(60, dtype=np.float32).reshape(20, 3)
    gaze = np.zeros(20, np.float32)
    write_recording(Recording("trio", np.arange(20) * 1000, readings, {"gaze_h_deg": gaze}), folder)
    return folder


@quick
@given(data=st.data())
def test_the_manifest_of_a_recording(recorded, tmp_path, data):
    manifest = json.loads((recorded / "manifest.json").read_text("utf-8"))
    key = data.draw(st.sampled_from(sorted(manifest)))
    manifest[key] = data.draw(values)
    (tmp_path / "part-00000.parquet").write_bytes((recorded / "part-00000.parquet").read_bytes())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    refused_or_read(lambda: read_recording(tmp_path))


@quick
@given(data=st.data())
def test_a_shard_of_a_recording(recorded, tmp_path, data):
    shard = (recorded / "part-00000.parquet").read_bytes()
    (tmp_path / "manifest.json").write_bytes((recorded / "manifest.json").read_bytes())
    (tmp_path / "part-00000.parquet").write_bytes(data.draw(damaged(shard) | st.binary(max_size=100)))
    refused_or_read(lambda: read_recording(tmp_path))


@pytest.mark.parametrize("content", [DEEP, b"9" * 5000, b"\xff\xfe", b"{}", b"null", b""])
def test_a_manifest_that_is_none(tmp_path, content):
    (tmp_path / "manifest.json").write_bytes(content)
    assert not refused_or_read(lambda: read_recording(tmp_path))


MADE_FROM = {"seed": 1}
HEAD = json.dumps({"format": "psog-unfinished-recording", "made_from": MADE_FROM}).encode() + b"\n"
LINE = json.dumps({"shard": 0, "rows": 5, "sha256": "0" * 64}).encode() + b"\n"


@quick
@given(damaged(HEAD + LINE) | damaged(LINE).map(lambda line: HEAD + line + b"\n") | st.binary(max_size=100))
@example(DEEP + b"\n")
@example(HEAD + DEEP + b"\n")
@example(HEAD + b'{"shard": 1e999, "rows": 5, "sha256": "0"}\n')
@example(HEAD + b'{"shard": ' + b"9" * 4000 + b', "rows": 5, "sha256": "0"}\n')
@example(HEAD + b'{"shard": -1, "rows": -5, "sha256": "0"}\n')
def test_the_journal_of_an_unfinished_recording(tmp_path, content):
    place = tmp_path / "r.unfinished"
    place.mkdir(exist_ok=True)
    (place / "journal.jsonl").write_bytes(content)

    def go_on() -> None:
        with unfinished_recording(tmp_path / "r", MADE_FROM) as work:
            assert work.finished == {}

    refused_or_read(go_on)


@quick
@given(st.lists(st.binary(max_size=300), max_size=4), st.binary(max_size=MAX_PAYLOAD))
def test_whatever_a_link_brings_the_next_frame_is_found(chunks, payload):
    decoder = Decoder()
    for chunk in chunks:
        decoder.feed(chunk)
    assert decoder.feed(b"\0" + encode(Frame(1, 2, payload)))[-1] == Frame(1, 2, payload)


@quick
@given(st.sampled_from(sorted(BY_CODE.values(), key=lambda m: m.code)), st.binary(max_size=MAX_PAYLOAD))
def test_any_payload_is_unpacked_or_is_a_breach_of_the_protocol(message: Message, payload):
    try:
        values, tail = message.unpack(payload)
    except ProtocolError:
        return
    assert message.pack(values, tail) == payload
