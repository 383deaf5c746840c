"""The Collaborative International Dictionary of English, from the Debian package dict-gcide.

Run ``python data/corpora/gcide/prepare.py`` to build it into the cache. It needs ``apt-get`` with
package lists (``apt-get update``) and ``dpkg-deb``; nothing is installed.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bayescale.errors import HarnessError
from bayescale.harness.corpora import cache_dir

PACKAGE = "dict-gcide"
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def version() -> str:
    """Return the version of the package, which names the text."""
    return _run("dpkg-deb", "--field", str(_package()), "Version").strip()


def documents() -> Iterator[bytes]:
    """Yield every dictionary entry once, with the headwords' index for the boundaries."""
    unpacked = cache_dir() / "downloads" / PACKAGE
    _run("dpkg-deb", "--extract", str(_package()), str(unpacked))
    folder = unpacked / "usr" / "share" / "dictd"
    text = gzip.decompress((folder / "gcide.dict.dz").read_bytes())
    spans = set()
    for line in (folder / "gcide.index").read_bytes().splitlines():
        headword, start, length = line.rsplit(b"\t", 2)
        if not headword.startswith(b"00-database"):
            spans.add((_number(start), _number(length)))
    for start, length in sorted(spans):
        yield text[start : start + length]


def _package() -> Path:
    """Fetch the package into the cache, unless it is there."""
    folder = cache_dir() / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(folder.glob(f"{PACKAGE}_*.deb"))
    if not found:
        _run("apt-get", "download", PACKAGE, cwd=folder)
        found = sorted(folder.glob(f"{PACKAGE}_*.deb"))
    return found[-1]


def _run(*command: str, cwd: Path | None = None) -> str:
    if shutil.which(command[0]) is None:
        raise HarnessError(
            f"corpus 'gcide': the program {command[0]!r} is not installed.",
            "Build it on a Debian-like system, or train on python_stdlib.",
        )
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HarnessError(
            f"corpus 'gcide': {' '.join(command[:2])} ended with {done.returncode}: "
            f"{done.stderr.strip()[-300:]}",
            "Refresh the package lists (apt-get update) and look at the network.",
        )
    return done.stdout


def _number(digits: bytes) -> int:
    """Read a number of the dictionary index, base 64, most significant digit first."""
    value = 0
    for digit in digits.decode("ascii"):
        value = value * 64 + DIGITS.index(digit)
    return value


if __name__ == "__main__":
    from bayescale.harness.corpora import build_corpus

    print(build_corpus("gcide"))
