"""Tokens by byte-level pair encoding, with a vocabulary that is shipped and never trained again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from bayescale.errors import HarnessError

END_OF_DOCUMENT = "<end>"
"""Ends every document; token 0, as the zero byte is among bytes."""
AT_ONCE = 1 << 22
"""Bytes of documents encoded at once; bounds the memory."""


def encoded(documents: Iterable[bytes], tokenizer: Path) -> Iterator[NDArray[np.uint16]]:
    """Yield the tokens of every document, its end included.

    Parameters
    ----------
    documents : iterable of bytes
        UTF-8.
    tokenizer : Path
        File that `train_tokenizer` wrote.

    Yields
    ------
    ndarray of uint16
        One per document.

    Raises
    ------
    HarnessError
        When the package ``tokenizers`` is not installed.
    """
    known = _library().Tokenizer.from_file(str(tokenizer))
    # A text that spells the end of a document is a text.
    known.encode_special_tokens = True
    for some in _portions(documents):
        for found in known.encode_batch_fast(some, add_special_tokens=False):
            yield np.array([*found.ids, 0], dtype=np.uint16)


def train_tokenizer(documents: Iterable[bytes], vocab_size: int, path: Path) -> None:
    """Learn a vocabulary and write it.

    Parameters
    ----------
    documents : iterable of bytes
        A sample, UTF-8.
    vocab_size : int
        Number of tokens, the 256 bytes and the end of a document included.
    path : Path
        Target.

    Raises
    ------
    HarnessError
        When the vocabulary has no room for all bytes.
    """
    if vocab_size < 257:
        raise HarnessError(
            f"tokenizer: vocab_size is {vocab_size}, but 256 bytes and the end of a document "
            "must fit.",
            "Ask for at least 257.",
        )
    library = _library()
    fresh = library.Tokenizer(library.models.BPE())
    fresh.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    fresh.decoder = library.decoders.ByteLevel()
    trainer = library.trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_DOCUMENT],
        initial_alphabet=sorted(library.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    fresh.train_from_iterator((text.decode() for text in documents), trainer)
    fresh.save(str(path))


def _library() -> ModuleType:
    try:
        import tokenizers
    except ModuleNotFoundError as error:
        raise HarnessError(
            "corpus of byte pairs: the package 'tokenizers' is not installed.",
            "Install bayescale[harness], or train on a corpus of bytes.",
        ) from error
    return tokenizers


def _portions(documents: Iterable[bytes]) -> Iterator[list[str]]:
    some: list[str] = []
    size = 0
    for text in documents:
        some.append(text.decode())
        size += len(text)
        if size >= AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some
