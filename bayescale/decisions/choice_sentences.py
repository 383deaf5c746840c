"""Every sentence of a comparison of arms: words only, no rules."""

from __future__ import annotations

from collections.abc import Sequence

from bayescale.decisions.sentences import percent


def number(value: float) -> str:
    """Return a factor or a scale with three digits, and what lies outside the search in words."""
    if value == float("inf"):
        return "beyond reach"
    return f"{value:.3g}" if value else "next to nothing"


def several_factors(columns: Sequence[str]) -> str:
    """Caveat: arms that differ in more than one respect."""
    return f"The arms differ in {' and '.join(columns)}: the difference is not that of one alone."


NO_LOSS_KIND = (
    "The table names no loss_kind: losses of different datasets are taken to be on the same text."
)


def no_runs(arm: str) -> str:
    """Caveat: an arm known through its siblings only."""
    return f"No fitted run belongs to {arm}: it is known by its siblings only."


def far(factor: float) -> str:
    """Caveat: a point far beyond the runs of an arm."""
    return (
        f"The comparison is made at {factor:,.0f} times the compute of an arm's largest fitted run:"
        " a run nearer to it would say more."
    )


def unreached(share: float, over: str, reach: float) -> str:
    """Caveat: draws in which the other arm never gets there within the search."""
    return (
        f"In {percent(share)} of the draws {over} does not reach that loss within a factor of"
        f" {reach:.3g}."
    )


def inseparable(column: str, of: str, over: str, ways_out: Sequence[str]) -> str:
    """Say that no two groups differ in one factor alone, and which runs would help."""
    return (
        f"{of} and {over} cannot be compared as levels of {column}: no two groups differ in"
        f" {column} alone. Run {' or '.join(ways_out)}."
    )


def best(arm: str, probability: float, second: str, losses: tuple[float, float]) -> str:
    """Say which arm is probably best, and which comes next by its loss."""
    return (
        f"{arm} has the lowest expected loss with a probability of {percent(probability)}; next by"
        f" loss comes {second} ({losses[1]:.4g} against {losses[0]:.4g})."
    )


def worth(of: str, over: str, along: str, factors: Sequence[str]) -> str:
    """Say what one arm is worth in another's compute or tokens."""
    what = along.removeprefix("n_")
    middle, low, high = factors
    return f"To match {of}, {over} needs {middle} times the {what} ({low} to {high} at 90 %)."
