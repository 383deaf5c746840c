"""One writer at a time: locks on files, which the system lets go when their holder dies."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bayescale.errors import HarnessError

RETRY_SECONDS = 0.1


@contextmanager
def held(path: Path, what: str, *, patience: float = 0.0) -> Iterator[None]:
    """Hold a lock file while something runs.

    Parameters
    ----------
    path : Path
        The lock file; made with its folder if missing, and left behind, since deleting it would
        let two holders in.
    what : str
        What the lock guards, for the message.
    patience : float
        Seconds to wait for another holder.

    Raises
    ------
    HarnessError
        When another process holds it for longer; the message names that process.

    Notes
    -----
    A file system that knows no locks is taken as it is: there nothing guards the folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        if not _taken_within(file.fileno(), patience):
            file.seek(0)
            raise HarnessError(
                f"{what}: {file.read().strip() or 'another process'} is at work on it.",
                "Wait until that has ended, or use another folder.",
            )
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def _taken_within(descriptor: int, patience: float) -> bool:
    """Return whether the lock is ours now."""
    give_up = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                return False
            time.sleep(RETRY_SECONDS)
        except OSError:
            return True
        else:
            return True


def append_whole(path: Path, lines: list[str]) -> None:
    """Append lines: all of them and alone, or none.

    Parameters
    ----------
    path : Path
        Text file; several processes may append to it at once.
    lines : list of str
        Each ends in a newline.

    Raises
    ------
    OSError
        When the disk does not take them; the file is then as it was.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        _taken_within(descriptor, float("inf"))
        size = os.fstat(descriptor).st_size
        # A kill in the middle of a line must not spoil the next one.
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        text = ("\n" if torn else "") + "".join(lines)
        try:
            _write_all(descriptor, text.encode())
            os.fsync(descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
