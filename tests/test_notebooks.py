"""The notebooks of the benchmarks: thin, executed, free of machines and of rows, and they run."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs nbformat of the extra 'dev'")

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MAX_CODE_CELLS = 25
MACHINE_PATH = re.compile(r"(?<![\w.~/])/(?:home|root|work|Users|opt|mnt|tmp|usr|var)/[\w.]+")
PICTURE = "image/png"

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def texts(notebook: Any) -> list[str]:
    """Return all that a reader of the outputs can read."""
    found = []
    for output in outputs(notebook):
        data = {key: value for key, value in output.get("data", {}).items() if key != PICTURE}
        found += [output.get("text", ""), *map(str, data.values())]
    return found


def statements(cell: Any) -> ast.Module:
    return ast.parse("\n".join(x for x in cell.source.splitlines() if not x.startswith("%")))


def test_there_are_notebooks():
    assert [path.stem[:2] for path in NOTEBOOKS] == [
        "01",
        "02",
        "03",
        "04",
        "05",
        "06",
        "07",
        "08",
        "09",
        "10",
        "11",
        "12",
        "13",
    ]


@each_notebook
def test_notebook_is_valid_and_has_one_title(path: Path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    titles = [line for text in prose for line in text.splitlines() if line.startswith("# ")]
    assert len(titles) == 1
    assert prose[0].startswith(titles[0])
    assert "*Needs " in prose[0]


@each_notebook
def test_notebook_was_executed_in_order_without_errors(path: Path):
    notebook = nbformat.read(path, as_version=4)
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))
    kinds = {output.output_type for output in outputs(notebook)}
    assert kinds <= {"stream", "display_data", "execute_result"}
    assert not [o for o in outputs(notebook) if o.get("name") == "stderr"]
    assert any(PICTURE in output.get("data", {}) for output in outputs(notebook))
    last = "".join(texts(nbformat.from_dict({"cells": [notebook.cells[-1]]})))
    assert "bayescale" in last
    assert "seed" in last


@each_notebook
def test_notebook_is_thin(path: Path):
    cells = code_cells(nbformat.read(path, as_version=4))
    assert len(cells) <= MAX_CODE_CELLS
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    nodes = [node for cell in cells for node in ast.walk(statements(cell))]
    assert not [node for node in nodes if isinstance(node, defined)]


@each_notebook
def test_notebook_names_no_machine_and_no_run_of_a_public_table(path: Path):
    notebook = nbformat.read(path, as_version=4)
    shown = [*texts(notebook), *(cell.source for cell in notebook.cells)]
    assert not [found for text in shown for found in MACHINE_PATH.findall(text)]
    # Every public table names its rows by run_id: a table that was printed whole would show one.
    assert not [text for text in shown if re.search(r"run_id|\b(?:chin|porian|gadre)\d{3}", text)]


@pytest.mark.slow
@each_notebook
def test_notebook_runs_again(
    path: Path, public_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("nbclient", reason="needs nbclient of the extra 'dev'")
    pytest.importorskip("ipykernel", reason="needs ipykernel of the extra 'dev'")
    spec = importlib.util.spec_from_file_location("notebooks", FOLDER / "notebooks.py")
    assert spec is not None
    assert spec.loader is not None
    builder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(builder)
    shutil.copytree(FOLDER / "results", tmp_path / "results")
    monkeypatch.setenv("BAYESCALE_PUBLIC_DATA", str(public_data.resolve()))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    before, after = nbformat.read(path, as_version=4), builder.execute(path, tmp_path)
    assert len(outputs(after)) == len(outputs(before))
    assert [PICTURE in o.get("data", {}) for o in outputs(after)] == [
        PICTURE in o.get("data", {}) for o in outputs(before)
    ]
