"""Fetch one file over HTTP, in pieces if need be, and never take half of it for the whole."""

from __future__ import annotations

import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from bayescale.errors import RunsTableError

ATTEMPTS = 4
TIMEOUT_SECONDS = 30.0
"""Without a byte for so long, an attempt has failed."""

PAUSE_SECONDS = 1.0
"""Before the second attempt, doubled before each further one."""

CHUNK = 1 << 16
FATAL = (400, 401, 403, 404, 410)
"""Answers that asking again does not change."""


def download(url: str, part: Path, *, pause: float = PAUSE_SECONDS, timeout: float = 0.0) -> Path:
    """Fetch a file, going on where an earlier attempt, or an earlier process, stopped.

    Parameters
    ----------
    url : str
        Address.
    part : Path
        Where the bytes gather; it stays there when the attempts are used up.
    pause : float
        Seconds before the second attempt.
    timeout : float
        Seconds without a byte that end an attempt; `TIMEOUT_SECONDS` by default.

    Returns
    -------
    Path
        `part`, complete.

    Raises
    ------
    RunsTableError
        When the server cannot be reached, refuses, or breaks off at every attempt.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    fault: Exception | None = None
    for attempt in range(ATTEMPTS):
        time.sleep(pause * 2 ** (attempt - 1) if attempt else 0.0)
        try:
            _attempt(url, part, timeout or TIMEOUT_SECONDS)
            return part
        except urllib.error.HTTPError as error:
            fault = error
            error.close()
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink(missing_ok=True)
            if error.code in FATAL:
                break
        except (OSError, http.client.HTTPException) as error:
            fault = error
    kept = part.stat().st_size if part.is_file() else 0
    raise RunsTableError(
        f"{url}: cannot be fetched ({_reason(fault)}).",
        f"Check the connection and call again; {kept} bytes are kept and not fetched twice."
        if kept
        else "Check the connection and call again.",
    )


def into(part: Path, pause: float = PAUSE_SECONDS) -> Any:
    """Return `download` as the downloader of a pooch, which then checks and moves the file."""

    def downloader(url: str, output_file: str, _: object) -> None:
        shutil.move(download(url, part, pause=pause), output_file)

    return downloader


def _attempt(url: str, part: Path, timeout: float) -> None:
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        resumed = answer.status == http.client.PARTIAL_CONTENT
        with part.open("ab" if resumed else "wb") as file:
            # A server that breaks off leaves fewer bytes than it announced, and no exception.
            expected = answer.headers.get("Content-Length")
            before = file.tell()
            shutil.copyfileobj(answer, file, CHUNK)
            file.flush()
            os.fsync(file.fileno())
            got = file.tell() - before
    if expected is not None and got != int(expected):
        raise http.client.IncompleteRead(b"", int(expected) - got)


def _reason(fault: Exception | None) -> str:
    if isinstance(fault, urllib.error.HTTPError):
        return f"the server answers {fault.code} {fault.reason}"
    if isinstance(fault, http.client.IncompleteRead):
        return f"the server broke off {fault.expected} bytes before the end, {ATTEMPTS} times"
    if isinstance(fault, urllib.error.URLError):
        return str(fault.reason)
    return str(fault) or type(fault).__name__
