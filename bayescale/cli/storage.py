"""The verb of a sweep's records: compact them, query them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayescale.cli.application import app
from bayescale.cli.options import Json
from bayescale.cli.screen import print_frame, print_json, print_lines
from bayescale.cli.screen import records as rows_of
from bayescale.errors import RunsTableError, UnknownNameError

ACTIONS = ("compact", "query")


@app.command(epilog="Example: bayescale records compact sweeps/quick")
def records(
    action: Annotated[str, typer.Argument(metavar="ACTION", help="compact, or query.")],
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="Folder of a sweep, JSONL or Parquet file.")
    ],
    sql: Annotated[
        str | None,
        typer.Argument(
            metavar="SQL",
            help="Of a query: 'SELECT d_model, min(loss) FROM records GROUP BY 1'.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Parquet file; records.parquet in the folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compact the records of a sweep to one Parquet file, or query them with DuckDB."""
    from bayescale.runs.records import compact, query

    if action not in ACTIONS:
        raise UnknownNameError("action", action, ACTIONS, where="records")
    if not source.exists():
        raise RunsTableError(f"records: no file or folder {str(source)!r}.")
    if action == "compact":
        path = compact(source, out)
        print_json({"records": str(path)}) if as_json else print_lines([f"wrote {path}"])
        return
    if sql is None:
        raise RunsTableError(
            "records query: no query was given.", "Add one: 'SELECT count(*) FROM records'."
        )
    found = query(source, sql)
    print_json({"rows": rows_of(found)}) if as_json else print_frame(found)
