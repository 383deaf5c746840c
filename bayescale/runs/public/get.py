"""Fetch a public table, check it, convert it and keep it; the only code that uses a network."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayescale.errors import RunsTableError
from bayescale.runs.files import raw_columns
from bayescale.runs.public.card import PublicCard, PublicFile, load_public_card
from bayescale.runs.public.download import PAUSE_SECONDS, into
from bayescale.runs.runs_table import RunsTable
from bayescale.runs.save import save_table, write_atomically
from bayescale.runs.table import read_runs

CACHE = "BAYESCALE_CACHE"
"""Environment variable: the folder of what was fetched; the user's cache folder by default."""

SEEN = "sha256.json"
"""Hashes of files whose card has none, as they were when first fetched."""

TOLERANCE = 2e-6
"""Of a mean log; rounding losses to six decimals moves it by less."""

Progress = Callable[[float, str], None]


def get_public(
    name: str, *, progress: Progress | None = None, pause: float = PAUSE_SECONDS
) -> Path:
    """Fetch a public table, or return what was fetched before.

    Parameters
    ----------
    name : str
        One of `list_public`.
    progress : callable, optional
        Told the share done and the file at work.
    pause : float
        Seconds before an attempt is repeated; doubled each time.

    Returns
    -------
    Path
        The converted table (.csv); from then on `read_runs` knows it by its name.

    Raises
    ------
    UnknownNameError
        When no public table has this name.
    RunsTableError
        When a file cannot be fetched or has another hash, or the table is not what its card says.
    """
    card = load_public_card(name)
    table = public_table(name)
    if table.is_file():
        _check(card, read_runs(table))
        return table
    folder = table.parent
    found: dict[str, Path] = {}
    for k, file in enumerate(card.files):
        if progress is not None:
            progress(k / len(card.files), file.path)
        found[file.path] = _fetched(card, file, folder, pause)
    _check_seen(card, found, folder)
    runs = read_runs(_converted(card, found), name=name)
    _check(card, runs)
    # Columns that reading derives are derived again by whoever reads the file.
    kept = {column: runs.data[column] for column in runs.columns if column not in runs.derived}
    return save_table(kept, table)


def public_table(name: str) -> Path:
    """Return where a public table lies once it was fetched."""
    return cache_folder() / name / f"{name}.csv"


def cache_folder() -> Path:
    """Return the folder of fetched tables: `CACHE`, or the user's cache folder."""
    asked = os.environ.get(CACHE)
    return Path(asked) if asked else Path(_pooch().os_cache("bayescale"))


def _pooch() -> Any:
    try:
        import pooch
    except ModuleNotFoundError as error:
        raise RunsTableError(
            "public tables are fetched with the package 'pooch', which is not installed.",
            "Install bayescale[public].",
        ) from error
    return pooch


def _fetched(card: PublicCard, file: PublicFile, folder: Path, pause: float) -> Path:
    pooch = _pooch()
    pooch.get_logger().setLevel("WARNING")
    # The commit is part of the place, so that a new card never takes an old file.
    place = folder / card.commit[:12]
    keeper = pooch.create(
        path=place,
        base_url="",
        registry={file.path: file.sha256},
        urls={file.path: card.url(file)},
    )
    part = place / (file.path + ".part")
    try:
        return Path(keeper.fetch(file.path, downloader=into(part, pause)))
    except ValueError as error:  # how pooch says that a hash is another one
        raise RunsTableError(
            f"public table {card.name!r}: {file.path} has another sha256 than the card's"
            f" {str(file.sha256)[:12]}...; nothing was kept.",
            f"The file changed, or something between here and {card.repository} changed it.",
        ) from error


def _check_seen(card: PublicCard, found: Mapping[str, Path], folder: Path) -> None:
    """Hold files without a hash on the card to what they were when they first came."""
    path = folder / card.commit[:12] / SEEN
    seen = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for file in card.files:
        digest = hashlib.sha256(found[file.path].read_bytes()).hexdigest()
        if seen.setdefault(file.path, digest) != digest:
            raise RunsTableError(
                f"public table {card.name!r}: {found[file.path]} has sha256 {digest[:12]}..., and"
                f" had {seen[file.path][:12]}... when it was fetched.",
                f"It was changed here: delete {path.parent} and fetch it again.",
            )
    text = json.dumps(seen, indent=1) + "\n"
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def _converted(card: PublicCard, found: Mapping[str, Path]) -> pd.DataFrame:
    convert = import_module(f"bayescale.runs.public.converters.{card.name}").convert
    try:
        frame = convert(found)
    except (KeyError, ValueError, TypeError, IndexError, OSError) as error:
        raise RunsTableError(
            f"public table {card.name!r}: its files are not of the form its converter knows"
            f" ({type(error).__name__}: {error})."
        ) from error
    raw_columns(frame, card.name)
    return frame


def _check(card: PublicCard, runs: RunsTable) -> None:
    """Compare a converted table with what its card recognises it by."""
    if len(runs) != card.expected.rows:
        raise RunsTableError(
            f"public table {card.name!r}: {len(runs)} rows, the card says {card.expected.rows}."
        )
    for column, expected in card.expected.mean_log.items():
        found = float(np.log(runs.numbers(column)).mean())
        if not abs(found - expected) <= TOLERANCE:
            raise RunsTableError(
                f"public table {card.name!r}: the mean log of {column} is {found:.6f}, the card"
                f" says {expected:.6f}."
            )
