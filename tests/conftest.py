"""Fixtures for every test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def public_data() -> Path:
    """Folder of the public tables of training runs, which are not part of the project."""
    asked = os.environ.get("BAYESCALE_PUBLIC_DATA")
    folder = Path(asked) if asked else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"public tables are not at {folder}; set BAYESCALE_PUBLIC_DATA")
    return folder
