"""The running interpreter's own library sources: a corpus that needs no download.

Run ``python data/corpora/python_stdlib/prepare.py`` to build it into the cache.
"""

from __future__ import annotations

import platform
import sysconfig
from collections.abc import Iterator
from pathlib import Path

# Distributions leave these out, patch them or generate them; encodings are tables, not programs.
LEFT_OUT = {
    "__pycache__",
    "distutils",
    "dist-packages",
    "encodings",
    "ensurepip",
    "idlelib",
    "idle_test",
    "lib2to3",
    "site-packages",
    "test",
    "tests",
    "tkinter",
    "turtledemo",
}


def version() -> str:
    """Return the interpreter's version, which names the text."""
    return platform.python_version()


def documents() -> Iterator[bytes]:
    """Yield every source file of the standard library."""
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        generated = parts[0].startswith(("_sysconfigdata", "config-"))
        if not generated and not LEFT_OUT.intersection(parts):
            yield path.read_bytes()


if __name__ == "__main__":
    from bayescale.harness.corpora import build_corpus

    print(build_corpus("python_stdlib"))
