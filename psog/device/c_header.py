"""Writes what is generated from the protocol table: the firmware's protocol.h and the tables of docs/SPEC.md.

python -m psog.device.c_header           write both files of this checkout
python -m psog.device.c_header --check   exit 1 when one of them is not current
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from enum import IntFlag
from pathlib import Path

from psog.device import messages
from psog.device.error_codes import ERROR_TEXT, DeviceErrorCode
from psog.device.layout import Message
from psog.device.messages import GazeFlag, Stream
from psog.errors import ProtocolError

HEADER_PATH = Path("firmware_export/firmware/app/protocol.h")
SPEC_PATH = Path("docs/SPEC.md")
BEGIN = "<!-- messages: begin -->"
END = "<!-- messages: end -->"

_GROUPS = (
    ("Host to device", messages.COMMANDS),
    ("Sensor bus", messages.SENSOR_BUS),
    ("Device to host", messages.REPORTS),
)
_TAIL_NAMES = {"": "", "u8": "count × u8", "i8": "count × i8", "u16": "count × u16"}


def field_offsets(message: Message) -> dict[str, int]:
    """Byte offset of every fixed field in the payload, by field name."""
    return {
        field.name: replace(message, fields=message.fields[:index]).layout.size
        for index, field in enumerate(message.fields)
    }


def header_text() -> str:
    """protocol.h as the table has it."""
    lines = [
        "/* The protocol between headset and host. Generated from psog/device/messages.py by",
        " * `python -m psog.device.c_header`; docs/SPEC.md explains it. */",
        "#ifndef PSOG_PROTOCOL_H",
        "#define PSOG_PROTOCOL_H",
        "",
        f"#define PSOG_PROTOCOL_VERSION {messages.PROTOCOL_VERSION}u",
        f"#define PSOG_MAX_DATA {messages.MAX_DATA}u",
        f"#define PSOG_MAX_PAYLOAD {messages.MAX_PAYLOAD}u",
        f"#define PSOG_LIDS_FLOOR {messages.LIDS_FLOOR}f",
        f"#define PSOG_LIDS_SHARE {messages.LIDS_SHARE}f",
        f"#define PSOG_LIDS_SINGLE_SHARE {messages.LIDS_SINGLE_SHARE}f",
        f"#define PSOG_LIDS_SMOOTH_US {messages.LIDS_SMOOTH_US:.1f}f",
        f"#define PSOG_LIDS_RISE_US {messages.LIDS_RISE_US:.1f}f",
        f"#define PSOG_LIDS_FALL_US {messages.LIDS_FALL_US:.1f}f",
        f"#define PSOG_STILL_BIN_US {messages.STILL_BIN_US}u",
        f"#define PSOG_STILL_BINS {messages.STILL_BINS}u",
        f"#define PSOG_STILL_GAP_US {messages.STILL_GAP_US}u",
        f"#define PSOG_STILL_STEPS_PER_DEG {messages.STILL_STEPS_PER_DEG:.1f}f",
        f"#define PSOG_STILL_FARTHEST_DEG {messages.STILL_FARTHEST_DEG:.1f}f",
        f"#define PSOG_STILL_DRIFT_STEPS {messages.STILL_DRIFT_STEPS}",
        f"#define PSOG_FRAME_HEADER_SIZE {messages.HEADER.size}u",
        f"#define PSOG_FRAME_CRC_SIZE {messages.CRC.size}u",
        "",
        "/* STREAM_SET mask */",
        *_flags("PSOG_STREAM", Stream),
        "",
        "/* flags of GAZE and TRIAL */",
        *_flags("PSOG_GAZE_FLAG", GazeFlag),
    ]
    for title, group in _GROUPS:
        lines += ["", f"/* ---- {title} ---- */"]
        for message in group:
            lines += ["", *_message_macros(message)]
    return "\n".join([*lines, "", "#endif", ""])


def _flags(prefix: str, flags: type[IntFlag]) -> list[str]:
    return [f"#define {prefix}_{flag.name} {int(flag)}u" for flag in flags]


def _message_macros(message: Message) -> list[str]:
    size_note = f" /* then {_TAIL_NAMES[message.tail]} */" if message.tail else ""
    return [
        f"/* {message.doc} */",
        f"#define PSOG_MSG_{message.name} 0x{message.code:02x}u",
        f"#define PSOG_MSG_{message.name}_SIZE {message.layout.size}u{size_note}",
        *(
            f"#define PSOG_{message.name}_{name.upper()}_OFFSET {offset}u"
            for name, offset in field_offsets(message).items()
        ),
    ]


def spec_tables() -> str:
    """The message tables of docs/SPEC.md, as they stand between its markers."""
    lines = ["", f"This is protocol version {messages.PROTOCOL_VERSION}."]
    for title, group in _GROUPS:
        lines += ["", f"### {title}", "", "| code | message | payload | meaning |", "|---|---|---|---|"]
        lines += [
            f"| 0x{message.code:02x} | {message.name} | {_payload(message)} | {message.doc} |"
            for message in group
        ]
    lines += ["", "### Fields", "", "| message | offset | type | field | meaning |", "|---|---|---|---|---|"]
    for message in messages.BY_CODE.values():
        offsets = field_offsets(message)
        lines += [
            f"| {message.name} | {offsets[field.name]} | {field.kind} | {field.name} | {field.doc} |"
            for field in message.fields
        ]
        if message.tail:
            lines.append(f"| {message.name} | {message.layout.size} | {_TAIL_NAMES[message.tail]} | | |")
    lines += ["", "### Values", "", "| value | name | meaning |", "|---|---|---|"]
    lines += [f"| {int(flag)} | Stream.{flag.name} | send {flag.name} for every reading |" for flag in Stream]
    lines += [f"| {int(flag)} | GazeFlag.{flag.name} | {_FLAG_MEANING[flag]} |" for flag in GazeFlag]
    lines += [
        f"| {int(code)} | error {code.name} | {ERROR_TEXT.get(code, 'carried out')} |"
        for code in DeviceErrorCode
    ]
    return "\n".join([*lines, ""])


_FLAG_MEANING = {
    GazeFlag.VALID: "the lids are open, by a running openness of this eye's own: the gaze can be trusted",
    GazeFlag.CALIBRATED: "the head belongs to a user (for TRIAL: is the candidate)",
    GazeFlag.SATURATED: "an eighth of the sensors or more are at the end of their range; not VALID then",
    GazeFlag.STILL: "VALID, and the eye has rested for 100 ms: see STILL, above",
}


def _payload(message: Message) -> str:
    parts = [f"{field.kind} {field.name}" for field in message.fields]
    return ", ".join([*parts, _TAIL_NAMES[message.tail]] if message.tail else parts) or "–"


def spec_with_tables(spec: str) -> str:
    """The text of docs/SPEC.md with its message tables brought up to date.

    Raises:
        ProtocolError: the markers are missing.
    """
    before, begin, rest = spec.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ProtocolError(f"{SPEC_PATH} lacks the markers {BEGIN} … {END}; put them back")
    return f"{before}{BEGIN}\n{spec_tables()}\n{END}{after}"


def stale_files(root: Path) -> dict[Path, str]:
    """Generated files below `root` that are not current, with the text they should have."""
    header = root / HEADER_PATH
    spec = root / SPEC_PATH
    found = {header: header.read_text("utf-8") if header.exists() else "", spec: spec.read_text("utf-8")}
    wanted = {header: header_text(), spec: spec_with_tables(found[spec])}
    return {path: text for path, text in wanted.items() if found[path] != text}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the generated files, or with --check only tell which are stale."""
    words = sys.argv[1:] if arguments is None else arguments
    stale = stale_files(Path(__file__).resolve().parents[2])
    if "--check" in words and stale:
        names = ", ".join(path.name for path in stale)
        sys.exit(f"{names} not current; run python -m psog.device.c_header")
    for path, text in stale.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
