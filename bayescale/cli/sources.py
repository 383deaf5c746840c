"""From what a user types to tables, posteriors and numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayescale.cli.screen import print_note, status
from bayescale.errors import BayescaleError, DecisionError, ModelError, RunsTableError

if TYPE_CHECKING:
    from bayescale.decisions.scenario import Scenario
    from bayescale.inference.posterior import Posterior
    from bayescale.runs.table import RunsTable


def read_table(
    runs: str,
    where: Sequence[str] | None,
    column: Sequence[str] | None,
    convention: str | None = None,
) -> RunsTable:
    """Read the table that RUNS names, with the user's conditions, column names and counting."""
    from bayescale.runs.table import read_runs

    conditions = list(where) if where else None
    return read_runs(runs, columns=_mapping(column), where=conditions, convention=convention)


def read_plan(plan: Path | None) -> Scenario:
    """Read the plan that --plan names; without one, show what to begin with."""
    from bayescale.decisions.plan_file import EXAMPLE
    from bayescale.decisions.scenario import load_scenario

    if plan is None:
        raise DecisionError("no plan file was named.", f"Pass --plan FILE; begin with:\n{EXAMPLE}")
    return load_scenario(plan)


def read_source(
    runs: str,
    model: str | None,
    group: str,
    where: Sequence[str] | None,
    column: Sequence[str] | None,
    priors: Path | None,
    pooling: str | None,
    engine: str,
    seed: int,
    without_family: str | None = None,
    convention: str | None = None,
    before_fit: Callable[[], object] | None = None,
) -> Posterior:
    """Return the posterior that `runs` is, or a fit to the table that it is.

    What else a verb reads is looked at by `before_fit`, once the table is read.
    """
    if not runs.endswith(".nc"):
        table = read_table(runs, where, column, convention)
        if before_fit is not None:
            before_fit()
        return fit_table(table, model, group, priors, pooling, engine, 1000, seed, without_family)
    from bayescale.inference.posterior import load_posterior

    given: dict[str, object] = {
        "--model": model,
        "--group": group,
        "--where": where,
        "--column": column,
    }
    given.update({"--priors": priors, "--pooling": pooling})
    given.update({"--without-family": without_family, "--convention": convention})
    check_unfitted(runs, given)
    return load_posterior(runs)


def check_unfitted(saved: str, given: Mapping[str, object]) -> None:
    """Raise a ModelError for an option that says how to fit, beside a saved posterior."""
    for option, value in given.items():
        if value:
            raise ModelError(
                f"{option} was given with the saved posterior {saved!r}, which is already fitted.",
                f"Drop {option}, or give the runs table instead.",
            )


def fit_table(
    table: RunsTable,
    model: str | None,
    group: str,
    priors: Path | None,
    pooling: str | None,
    engine: str,
    draws: int,
    seed: int,
    without_family: str | None = None,
    max_epochs: float | None = None,
) -> Posterior:
    """Fit a table with a spinner, reading the file of priors if there is one.

    What `bayescale check` fails the table for is said, for the answer stands on it.
    """
    from bayescale.inference.fit import fit as make_fit
    from bayescale.runs.lint import lint
    from bayescale.runs.repetition import MAX_EPOCHS

    own = None if priors is None else _read_priors(priors)
    with status("fitting"):
        posterior = make_fit(
            table,
            model,
            priors=own,
            group=names(group),
            pooling=pooling,  # type: ignore[arg-type]
            engine=engine,  # type: ignore[arg-type]
            draws=draws,
            seed=seed,
            without_family=without_family,
            max_epochs=MAX_EPOCHS if max_epochs is None else max_epochs,
        )
    for finding in lint(table, names(group)):
        if finding.level == "FAIL":
            found = finding.message.rstrip(".")
            print_note(f"check {finding.check} fails: {found}. {finding.recommendation}")
    return posterior


def _read_priors(path: Path) -> dict[str, Any]:
    from bayescale.models.catalog import read_yaml

    content = read_yaml(path, "priors file")
    return {str(name): prior for name, prior in content.items()}


def names(text: str) -> tuple[str, ...]:
    """Return the parts of a comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _mapping(pairs: Sequence[str] | None) -> dict[str, str]:
    mapping = {}
    for pair in pairs or ():
        ours, sign, theirs = pair.partition("=")
        if not sign or not ours or not theirs:
            raise RunsTableError(f"--column is {pair!r}.", "Write --column 'n_params=my size'.")
        mapping[ours.strip()] = theirs.strip()
    return mapping


def check_out(
    option: str,
    path: Path | None,
    endings: tuple[str, ...] = (),
    inputs: Sequence[str | Path] = (),
) -> None:
    """Raise on a file that cannot be written, or that is read, before anything slow starts."""
    from bayescale.runs.save import check_target

    if path is None:
        return
    if path.resolve() in [Path(read).resolve() for read in inputs]:
        raise BayescaleError(
            f"{option} is {str(path)!r}, which is read: it would be written over.",
            "Give another name.",
        )
    check_target(path)
    if endings and not path.name.lower().endswith(endings):
        raise BayescaleError(
            f"{option} is {str(path)!r}, expected a name ending in {', '.join(endings)}."
        )


def number(word: str, option: str) -> float:
    """Return a positive number that may carry a suffix, such as 7B."""
    from bayescale.runs.numbers import parse_number

    try:
        value = parse_number(word)
    except ValueError:
        value = float("nan")
    if not 0.0 < value < float("inf"):
        raise DecisionError(f"{option} is {word!r}, expected a positive number such as 1e22 or 7B.")
    return value
