"""English prose: a dictionary, the Linux kernel's documentation, political essays.

Run ``python data/corpora/prose/prepare.py`` to build it into the cache: 160 MB of downloads and a
CPU minute or two. It needs ``apt-get`` with package lists (``apt-get update``) and ``dpkg-deb``.
"""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath

from bayescale.harness.corpora import load_recipe, recipes
from bayescale.harness.debian import package_version, unpacked

PACKAGES = ("dict-gcide", "linux-source-6.1", "anarchism")


def version() -> str:
    """Return the versions of the packages, which name the text."""
    return "_".join(package_version(name) for name in PACKAGES)


def documents() -> Iterator[bytes]:
    """Yield every dictionary entry, page of documentation and essay."""
    yield from load_recipe(recipes()["gcide"]).documents()
    yield from _kernel_documentation()
    essays = unpacked("anarchism") / "usr" / "share" / "doc" / "anarchism" / "markdown"
    for path in sorted(essays.glob("*.md*")):
        held = path.read_bytes()
        yield gzip.decompress(held) if path.suffix == ".gz" else held


def _kernel_documentation() -> Iterator[bytes]:
    """Yield the pages in English; translations are left out."""
    archive = unpacked(PACKAGES[1]) / "usr" / "src" / f"{PACKAGES[1]}.tar.xz"
    with tarfile.open(archive, "r|xz") as files:
        for entry in files:
            path = PurePosixPath(entry.name)
            here = path.parts[1:2] == ("Documentation",) and "translations" not in path.parts
            text = entry.isfile() and path.suffix in {".rst", ".txt"}
            held = files.extractfile(entry) if here and text else None
            if held is not None:
                yield held.read()


if __name__ == "__main__":
    from bayescale.harness.corpora import build_corpus

    print(build_corpus("prose"))
