"""Programs in C, Rust, Go and Python, from four Debian packages.

Run ``python data/corpora/code/prepare.py`` to build it into the cache: 180 MB of downloads and a
few CPU minutes. It needs ``apt-get`` with package lists (``apt-get update``) and ``dpkg-deb``.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath

from bayescale.harness.debian import package_version, unpacked

PACKAGES = ("linux-source-6.1", "rust-src", "golang-1.19-src", "libpython3.11-stdlib")
LINUX_FOLDERS = {"fs", "kernel", "mm", "net", "include"}
# Written by programs: tables of instructions, of system calls and of characters.
GENERATED_FOLDERS = {"stdarch", "testdata"}
GENERATED_NAMES = ("rewrite", "zerrors", "zsys", "ztypes", "tables")


def version() -> str:
    """Return the versions of the packages, which name the text."""
    return "_".join(package_version(name) for name in PACKAGES)


def documents() -> Iterator[bytes]:
    """Yield every source file."""
    yield from _linux()
    for package, suffix in zip(PACKAGES[1:], (".rs", ".go", ".py"), strict=True):
        for path in sorted((unpacked(package) / "usr").rglob(f"*{suffix}")):
            written = GENERATED_FOLDERS.isdisjoint(path.parts)
            if written and not path.name.startswith(GENERATED_NAMES) and path.is_file():
                yield path.read_bytes()


def _linux() -> Iterator[bytes]:
    """Yield the C files of the folders that hold algorithms and not drivers of devices."""
    archive = unpacked(PACKAGES[0]) / "usr" / "src" / f"{PACKAGES[0]}.tar.xz"
    with tarfile.open(archive, "r|xz") as files:
        for entry in files:
            path = PurePosixPath(entry.name)
            here = len(path.parts) > 2 and path.parts[1] in LINUX_FOLDERS
            source = entry.isfile() and path.suffix in {".c", ".h"}
            held = files.extractfile(entry) if here and source else None
            if held is not None:
                yield held.read()


if __name__ == "__main__":
    from bayescale.harness.corpora import build_corpus

    print(build_corpus("code"))
