"""How ``bpe_1024.json`` was made: from equal parts of code and of prose.

Run ``python data/corpora/tokenizers/train.py FILE`` to learn it again. The file that is shipped is
never replaced: the hashes of the corpora depend on it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from bayescale.harness.bpe import train_tokenizer
from bayescale.harness.corpora import load_recipe, recipes, shuffled, utf8

VOCAB_SIZE = 1024
BYTES_OF_EACH = 6_000_000
"""Of each corpus, taken from the end that is never held out."""


def sample() -> Iterator[bytes]:
    """Yield documents of both kinds."""
    for name in ("code", "prose"):
        left = BYTES_OF_EACH
        for text in reversed(shuffled(utf8(load_recipe(recipes()[name]).documents()))):
            if left > 0:
                yield text
                left -= len(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    train_tokenizer(sample(), VOCAB_SIZE, parser.parse_args().file)
