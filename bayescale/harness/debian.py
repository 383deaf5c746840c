"""Debian packages as sources of text: fetched with the ordinary client, unpacked, not installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bayescale.errors import HarnessError
from bayescale.harness.corpora import cache_dir


def package_version(name: str) -> str:
    """Return the version of a package, which names its text.

    Parameters
    ----------
    name : str
        Package.

    Returns
    -------
    str
        As Debian writes it.

    Raises
    ------
    HarnessError
        When the package cannot be fetched here.
    """
    return _run("dpkg-deb", "--field", str(_package(name)), "Version").strip()


def unpacked(name: str) -> Path:
    """Return the folder into which a package was unpacked, in the cache.

    Parameters
    ----------
    name : str
        Package; fetched unless the cache has it. That needs ``apt-get`` with package lists.

    Returns
    -------
    Path
        Folder that stands for the root of the file system.
    """
    folder = cache_dir() / "downloads" / name
    if not folder.is_dir():
        partial = folder.with_name(f"{name}.tmp")
        shutil.rmtree(partial, ignore_errors=True)
        _run("dpkg-deb", "--extract", str(_package(name)), str(partial))
        partial.rename(folder)
    return folder


def _package(name: str) -> Path:
    """Fetch a package into the cache, unless it is there."""
    folder = cache_dir() / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(folder.glob(f"{name}_*.deb"))
    if not found:
        _run("apt-get", "download", name, cwd=folder)
        found = sorted(folder.glob(f"{name}_*.deb"))
    return found[-1]


def _run(*command: str, cwd: Path | None = None) -> str:
    if shutil.which(command[0]) is None:
        raise HarnessError(
            f"corpus from Debian packages: the program {command[0]!r} is not installed.",
            "Build it on a Debian-like system, or train on python_stdlib.",
        )
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HarnessError(
            f"corpus from Debian packages: {' '.join(command[:3])} ended with "
            f"{done.returncode}: {done.stderr.strip()[-300:]}",
            "Refresh the package lists (apt-get update) and look at the network.",
        )
    return done.stdout
