"""TensorBoard's event files, read without TensorBoard: framed records of protocol buffers.

Only scalars are read. The format is that of TensorFlow's ``record_writer`` and ``event.proto``:
length, its checksum, data, its checksum; a file that is still growing may end inside a record.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bayescale.runs.importers.run_log import RunLog, collect

MARK = "tfevents"
"""Part of the name of every event file."""

Fields = dict[int, list[Any]]

# Numbers of the fields of Event, Summary, Summary.Value and TensorProto.
EVENT_STEP, EVENT_SUMMARY, SUMMARY_VALUE = 2, 5, 1
VALUE_TAG, VALUE_SIMPLE, VALUE_TENSOR = 1, 2, 8
TENSOR_CONTENT, TENSOR_FLOATS, TENSOR_DOUBLES, TENSOR_TYPE = 4, 5, 6, 1
FLOAT, DOUBLE = 1, 2


def read(paths: Iterable[Path], name: str) -> RunLog:
    """Return the log of one run from its event files, in the order of their names."""
    return RunLog(name, collect(point for path in sorted(paths) for point in _points(path)))


def _points(path: Path) -> Iterator[tuple[str, float, float]]:
    for event in map(_fields, _records(path.read_bytes())):
        step = event.get(EVENT_STEP, [0])[0]
        for summary in event.get(EVENT_SUMMARY, ()):
            for value in map(_fields, _fields(summary).get(SUMMARY_VALUE, ())):
                number = _scalar(value)
                if number is not None:
                    yield value[VALUE_TAG][0].decode(), float(step), number


def _records(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        end = at + 12 + length
        if end + 4 > len(data):
            return
        yield data[at + 12 : end]
        at = end + 4


def _scalar(value: Fields) -> float | None:
    if VALUE_SIMPLE in value:
        return float(struct.unpack("<f", value[VALUE_SIMPLE][0])[0])
    for tensor in map(_fields, value.get(VALUE_TENSOR, ())):
        kind = tensor.get(TENSOR_TYPE, [0])[0]
        single, field = ("<f", TENSOR_FLOATS) if kind == FLOAT else ("<d", TENSOR_DOUBLES)
        for held in (*tensor.get(field, ()), *tensor.get(TENSOR_CONTENT, ())):
            if kind in (FLOAT, DOUBLE) and len(held) == struct.calcsize(single):
                return float(struct.unpack(single, held)[0])
    return None


def _fields(data: bytes) -> Fields:
    """Return the fields of a message by number: integers, or bytes that are not yet taken apart."""
    found: Fields = {}
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        value: Any
        if wire == 0:
            value, at = _varint(data, at)
        else:
            size, at = (8, at) if wire == 1 else (4, at) if wire == 5 else _varint(data, at)
            value, at = data[at : at + size], at + size
        found.setdefault(number, []).append(value)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result, shift = 0, 0
    while True:
        byte = data[at]
        result |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return result, at
