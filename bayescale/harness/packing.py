"""Corpora as small files to carry: compressed tokens and their description."""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
from pathlib import Path

from bayescale.errors import HarnessError

TOKENS, PACKED, META = "tokens.bin", "tokens.bin.xz", "meta.json"


def pack_corpus(corpus_dir: Path, target: Path) -> int:
    """Compress the tokens of a built corpus.

    Parameters
    ----------
    corpus_dir : Path
        What `build_corpus` returned.
    target : Path
        Folder to write; what it holds of the same corpus is kept.

    Returns
    -------
    int
        Its size in bytes.
    """
    meta = (corpus_dir / META).read_text()
    kept = target / META
    if not (kept.is_file() and kept.read_text() == meta):
        target.mkdir(parents=True, exist_ok=True)
        with lzma.open(target / PACKED, "wb") as file:
            file.write((corpus_dir / TOKENS).read_bytes())
        kept.write_text(meta)
    return sum(path.stat().st_size for path in (target / PACKED, kept))


def unpack_corpus(packed: Path, target: Path) -> Path:
    """Restore the corpus that `pack_corpus` compressed.

    Parameters
    ----------
    packed : Path
        Folder that was carried here.
    target : Path
        Folder to write; what it holds of the same corpus is kept.

    Returns
    -------
    Path
        ``target``, ready for `open_batches`.

    Raises
    ------
    HarnessError
        When the folder holds no packed corpus, or its tokens are not those described.
    """
    if not (packed / META).is_file() or not (packed / PACKED).is_file():
        raise HarnessError(
            f"packed corpus {packed.name!r}: {META} and {PACKED} are not both there.",
            "Pack it with benchmarks/gpu_pack.py.",
        )
    meta = (packed / META).read_text()
    there = (target / TOKENS).is_file() and (target / META).is_file()
    if there and (target / META).read_text() == meta:
        return target
    with lzma.open(packed / PACKED) as file:
        tokens = file.read()
    found, expected = hashlib.sha256(tokens).hexdigest(), json.loads(meta)["sha256"]
    if found != expected:
        raise HarnessError(
            f"packed corpus {packed.name!r}: its tokens hash to {found}, described are {expected}.",
            "It was damaged on the way: carry it again.",
        )
    partial = target.with_name(target.name + ".tmp")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    (partial / TOKENS).write_bytes(tokens)
    (partial / META).write_text(meta)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return target
