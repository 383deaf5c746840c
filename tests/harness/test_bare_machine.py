"""The training rooms run where there is PyTorch, NumPy and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="the harness trains with PyTorch")

BARE = """
import sys
for name in ("pandas", "yaml", "pydantic", "scipy", "pymc", "arviz", "xarray", "typer", "rich"):
    sys.modules[name] = None
from pathlib import Path
from bayescale.harness.config import RunConfig
from bayescale.harness.engine import Job, run_jobs
config = RunConfig.from_json(sys.argv[1])
print(run_jobs([Job(config=config, folder=Path(sys.argv[2]))]))
"""


def test_a_resolved_unit_trains_without_the_rest_of_the_package(make_unit, tmp_path):
    command = [sys.executable, "-c", BARE, make_unit().to_json(), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "finished\n", done.stderr
