"""The Collaborative International Dictionary of English, from the Debian package dict-gcide.

Run ``python data/corpora/gcide/prepare.py`` to build it into the cache. It needs ``apt-get`` with
package lists (``apt-get update``) and ``dpkg-deb``; nothing is installed.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from bayescale.harness.debian import package_version, unpacked

PACKAGE = "dict-gcide"
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def version() -> str:
    """Return the version of the package, which names the text."""
    return package_version(PACKAGE)


def documents() -> Iterator[bytes]:
    """Yield every dictionary entry once, with the headwords' index for the boundaries."""
    folder = unpacked(PACKAGE) / "usr" / "share" / "dictd"
    text = gzip.decompress((folder / "gcide.dict.dz").read_bytes())
    spans = set()
    for line in (folder / "gcide.index").read_bytes().splitlines():
        headword, start, length = line.rsplit(b"\t", 2)
        if not headword.startswith(b"00-database"):
            spans.add((_number(start), _number(length)))
    for start, length in sorted(spans):
        yield text[start : start + length]


def _number(digits: bytes) -> int:
    """Read a number of the dictionary index, base 64, most significant digit first."""
    value = 0
    for digit in digits.decode("ascii"):
        value = value * 64 + DIGITS.index(digit)
    return value


if __name__ == "__main__":
    from bayescale.harness.corpora import build_corpus

    print(build_corpus("gcide"))
