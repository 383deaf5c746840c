"""Execute the notebooks in place and keep of each what can be read again anywhere.

    python benchmarks/notebooks.py [01 02 ...]

They need the public tables, in the folder that BAYESCALE_PUBLIC_DATA names or in ../shared/data.
Times of execution and names of kernels are not kept.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def main(asked: list[str]) -> None:
    for path in sorted(FOLDER.glob("*.ipynb")):
        if not asked or any(path.name.startswith(word) for word in asked):
            started = time.perf_counter()
            notebook = execute(path, FOLDER)
            nbformat.write(notebook, path)
            print(f"{path.name}: {time.perf_counter() - started:.0f} s")


def execute(path: Path, folder: Path) -> nbformat.NotebookNode:
    """Return a notebook with the outputs of running it in `folder`."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells, start=1):
        cell.metadata = nbformat.from_dict({})
        cell.id = f"cell-{number}"
    return notebook


if __name__ == "__main__":
    main(sys.argv[1:])
