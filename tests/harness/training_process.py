"""Train one unit in a process of its own, for tests that kill it: CONFIG FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from bayescale.harness.config import RunConfig
from bayescale.harness.train import train

if __name__ == "__main__":
    torch.set_num_threads(1)
    train(RunConfig.from_json(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
