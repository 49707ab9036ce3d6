"""protocol.h and the tables of docs/SPEC.md say what the protocol table says."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from psog.device.c_header import field_offsets, header_text, spec_with_tables, stale_files
from psog.device.messages import BY_CODE, GAZE, HELLO
from psog.errors import ProtocolError

ROOT = Path(__file__).resolve().parents[2]


def test_generated_files_are_current():
    assert [path.name for path in stale_files(ROOT)] == []


def test_offsets_agree_with_struct():
    gaze = {"gaze_h_deg": 1.5, "gaze_v_deg": -2.0, "openness": 0.5, "expected_error_deg": 1.25}
    packed = GAZE.pack({"t_us": 7, **gaze, "flags": 3})
    offsets = field_offsets(GAZE)
    assert struct.unpack_from("<f", packed, offsets["gaze_v_deg"]) == (-2.0,)
    assert packed[offsets["flags"]] == 3


def test_header_names_every_message_once_with_its_own_code():
    codes = dict(re.findall(r"#define PSOG_MSG_(\w+) (0x[0-9a-f]{2})u", header_text()))
    assert {name: int(code, 16) for name, code in codes.items()} == {m.name: c for c, m in BY_CODE.items()}


def test_hello_is_as_long_as_its_last_field_says():
    last = HELLO.fields[-1]
    assert last.kind == "u8"
    assert field_offsets(HELLO)[last.name] + 1 == HELLO.layout.size


def test_specification_without_markers_is_refused():
    with pytest.raises(ProtocolError, match="markers"):
        spec_with_tables("# SPEC\n")
