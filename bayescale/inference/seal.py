"""A checksum at the end of a file: the HDF5 library may hang on a damaged one, so ask first."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bayescale.errors import InferenceError

_MARK = b"bayescale sha256"


def seal(path: Path) -> None:
    """Append the SHA-256 of a finished file; HDF5 ignores what follows its own end."""
    digest = hashlib.sha256(path.read_bytes()).digest()
    with path.open("ab") as file:
        file.write(_MARK + digest)


def check_seal(path: Path, what: str) -> None:
    """Check a file against its seal; one without a seal, such as a cut one, passes.

    Raises
    ------
    InferenceError
        When the content is not what was sealed.
    """
    content = path.read_bytes()
    body, digest = content[: -len(_MARK) - 32], content[-32:]
    if content[len(body) : -32] == _MARK and hashlib.sha256(body).digest() != digest:
        raise InferenceError(
            f"{what} file {str(path)!r} is corrupt: its {len(content)} bytes do not match their"
            " checksum.",
            "Copy or write it again.",
        )
