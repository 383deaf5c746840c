"""Corpus recipes: documents in, one token file out, checked against the card's hash."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from bayescale.errors import BayescaleWarning, HarnessError, UnknownNameError

PACKAGE = Path(__file__).resolve().parents[1]
RECIPE_FOLDERS = (PACKAGE / "_shipped" / "data" / "corpora", PACKAGE.parent / "data" / "corpora")
"""Where recipes lie in a wheel, and in the repository."""
HELDOUT_BYTES = 262_145
"""At least this many bytes of whole documents are held out: 131 072 or 262 144 targets fit."""
SHUFFLE_KEY = b"bayescale-1"
END_OF_DOCUMENT = b"\x00"


def cache_dir() -> Path:
    """Return the folder for downloads and token files: BAYESCALE_CACHE or ~/.cache/bayescale."""
    return Path(os.environ.get("BAYESCALE_CACHE") or Path.home() / ".cache" / "bayescale")


def recipes() -> dict[str, Path]:
    """Return every recipe's folder by name.

    Returns
    -------
    dict of str to Path
        Folders that hold a ``card.yaml`` and a ``prepare.py``.
    """
    found = [path.parent for folder in RECIPE_FOLDERS for path in folder.glob("*/prepare.py")]
    return {folder.name: folder for folder in found}


def list_corpora() -> tuple[str, ...]:
    """Return the names of all corpus recipes, sorted."""
    return tuple(sorted(recipes()))


def build_corpus(name: str) -> Path:
    """Make a corpus from its recipe in ``data/corpora`` unless the cache has it.

    Parameters
    ----------
    name : str
        Folder name under ``data/corpora``.

    Returns
    -------
    Path
        Folder with ``tokens.bin`` and ``meta.json``.

    Raises
    ------
    UnknownNameError
        When there is no such recipe.
    HarnessError
        When the tokens are not those the card records.
    """
    found = recipes()
    if name not in found:
        raise UnknownNameError("corpus", name, found, where="data/corpora")
    recipe, card = load_recipe(found[name]), load_card(found[name])
    version = recipe.version()
    folder = cache_dir() / "corpora" / f"{name}-{version}"
    if not (folder / "meta.json").is_file():
        _write(folder, *_tokenized(recipe.documents(), card, found[name].parent))
    meta = json.loads((folder / "meta.json").read_text())
    _check_hash(name, version, meta["sha256"], card)
    return folder


def load_card(folder: Path) -> dict[str, Any]:
    """Read a recipe's ``card.yaml``.

    Parameters
    ----------
    folder : Path
        Folder of the recipe.

    Returns
    -------
    dict
        Its keys; ``versions`` maps a version to its hash and size.
    """
    import yaml

    card = yaml.safe_load((folder / "card.yaml").read_text())
    if not isinstance(card, dict) or "versions" not in card:
        raise HarnessError(f"corpus card of {folder.name!r}: key 'versions' is missing.")
    return card


def shuffled(documents: Iterable[bytes]) -> list[bytes]:
    """Return the distinct documents in an order that depends on nothing but their text.

    Parameters
    ----------
    documents : iterable of bytes
        Documents in any order.

    Returns
    -------
    list of bytes
        Sorted by a keyed hash: a shuffle without a generator, and duplicates fall together.
    """
    keyed = {hashlib.sha256(SHUFFLE_KEY + text).digest(): text for text in documents if text}
    return [keyed[key] for key in sorted(keyed)]


def utf8(documents: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the documents that are UTF-8 and hold no zero byte.

    Parameters
    ----------
    documents : iterable of bytes
        Documents of any kind.

    Yields
    ------
    bytes
        Those that a tokenizer of text can read.
    """
    for text in documents:
        try:
            readable = "\0" not in text.decode()
        except UnicodeDecodeError:
            readable = False
        if readable:
            yield text


def _tokenized(
    documents: Iterable[bytes], card: dict[str, Any], recipes_folder: Path
) -> tuple[bytes, dict[str, Any]]:
    """Return the content of the token file and its description."""
    if "tokenizer" in card:
        file = recipes_folder / "tokenizers" / f"{card['tokenizer']}.json"
        at_most = card.get("tokens_at_most", math.inf)
        return _pairs(shuffled(utf8(documents)), file, card["heldout_tokens"], at_most)
    order = shuffled(documents)
    n_heldout, _ = _heldout([len(text) + 1 for text in order], HELDOUT_BYTES)
    tokens = END_OF_DOCUMENT.join([*order, b""])
    return tokens, {
        "dtype": "uint8",
        "n_tokens": len(tokens),
        "n_heldout": n_heldout,
        "n_documents": len(order),
    }


def _pairs(
    order: list[bytes], tokenizer: Path, heldout: int, at_most: float
) -> tuple[bytes, dict[str, Any]]:
    """Return documents encoded by pairs, and what tells their losses in bits per byte."""
    from bayescale.harness.bpe import encoded

    parts: list[np.ndarray] = []
    total = 0
    for part in encoded(order, tokenizer):
        total += len(part)
        if total > at_most:
            break
        parts.append(part)
    n_heldout, n_documents = _heldout([len(part) for part in parts], heldout)
    n_bytes = sum(len(text) + 1 for text in order[:n_documents])
    tokens = np.concatenate(parts).astype("<u2")
    return tokens.tobytes(), {
        "dtype": "uint16",
        "n_tokens": len(tokens),
        "n_heldout": n_heldout,
        "n_documents": len(parts),
        "tokenizer": tokenizer.stem,
        "bytes_per_token": n_bytes / n_heldout,
    }


def _heldout(lengths: list[int], at_least: int) -> tuple[int, int]:
    """Return tokens and documents of the part held out: the first that make up enough."""
    total = n_documents = 0
    while total < at_least and n_documents < len(lengths):
        total += lengths[n_documents]
        n_documents += 1
    return total, n_documents


def _write(folder: Path, tokens: bytes, meta: dict[str, Any]) -> None:
    """Write the token file and its description; the folder appears whole or not at all."""
    meta = {"sha256": hashlib.sha256(tokens).hexdigest()} | meta
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=folder.parent, suffix=".tmp"))
    (partial / "tokens.bin").write_bytes(tokens)
    (partial / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _check_hash(name: str, version: str, found: str, card: dict[str, Any]) -> None:
    known = card["versions"].get(version)
    if known is None:
        warnings.warn(
            f"corpus {name!r}: version {version} has no recorded hash; found {found}. Its losses "
            f"are comparable only with runs on the same tokens. Recorded: "
            f"{', '.join(card['versions'])}.",
            BayescaleWarning,
            stacklevel=4,
        )
    elif known["sha256"] != found:
        raise HarnessError(
            f"corpus {name!r} version {version}: expected token hash {known['sha256']}, "
            f"found {found}.",
            "Delete its folder in the cache and build again; if the source has really changed, "
            "record it in card.yaml under a new version.",
        )


def load_recipe(folder: Path) -> ModuleType:
    """Import a recipe's ``prepare.py``.

    Parameters
    ----------
    folder : Path
        Folder of the recipe.

    Returns
    -------
    ModuleType
        With ``version()`` and ``documents()``.
    """
    spec = importlib.util.spec_from_file_location(
        f"bayescale_corpus_{folder.name}", folder / "prepare.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
