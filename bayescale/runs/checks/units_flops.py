"""Training compute in PF-days, in a prefixed unit, or as a rate."""

from __future__ import annotations

import numpy as np

from bayescale.runs.finding import Check, Finding, Subject, positions
from bayescale.runs.schema import FLOPS, N_PARAMS, N_TOKENS
from bayescale.runs.table import RunsTable
from bayescale.runs.wording import rows_text

NAME = "units_flops"
UNITS = {
    "PF-days": 8.64e19,
    "zettaFLOPs": 1e21,
    "exaFLOPs": 1e18,
    "petaFLOPs": 1e15,
    "teraFLOPs": 1e12,
    "gigaFLOPs": 1e9,
}
PLAUSIBLE = 10.0
"""Factor between a count and 6 N D: attention, recomputation and routing stay within it."""


def run(subject: Subject) -> Finding:
    """Compare the column with 6 N D of the parameters that one token uses."""
    runs = subject.runs
    if FLOPS in runs.derived:
        return Finding(NAME, "PASS", "No flops column: 6 N D is used.")
    active = runs.data.get("n_params_active", np.full(len(runs), np.nan))
    used = np.where(np.isnan(active), runs.data[N_PARAMS], active)
    six = 6.0 * used * runs.data[N_TOKENS]
    logs = np.log10(runs.data[FLOPS] / six)
    middle = float(np.median(logs))
    if abs(middle) > np.log10(PLAUSIBLE):
        return _unit(runs, six, middle)
    off = np.abs(logs) > np.log10(PLAUSIBLE)
    if off.any():
        return Finding(
            NAME,
            "REVIEW",
            f"flops is more than {PLAUSIBLE:g} times off 6 N D in {rows_text(off)}.",
            "Correct these rows; forecasts use 6 N D whatever the column says.",
            positions(off),
        )
    return Finding(NAME, "PASS", f"flops is {10**middle:.3g} times 6 N D in the median.")


def _unit(runs: RunsTable, six: np.ndarray, middle: float) -> Finding:
    flops = np.log10(runs.data[FLOPS])
    found = f"flops is {10**middle:.3g} times 6 N D in the median"
    # A rate belongs to the machine, so it stays put while the runs grow.
    rate = np.ptp(flops) < 0.3 * np.ptp(np.log10(six)) and np.ptp(np.log10(six)) > 1
    near = min(UNITS, key=lambda unit: abs(np.log10(UNITS[unit]) + middle))
    drop = "leave the column out: read_runs(frame.drop(columns='flops')) uses 6 N D"
    if rate:
        return Finding(
            NAME,
            "FAIL",
            f"{found}: a rate (FLOP/s), not a count.",
            f"Convert it with the hours each run took, or {drop}.",
        )
    if abs(np.log10(UNITS[near]) + middle) < np.log10(3):
        return Finding(
            NAME,
            "FAIL",
            f"{found}: it looks like {near}.",
            f"read_runs(frame.assign(flops={UNITS[near]:g} * frame['flops'])), or {drop}.",
        )
    power = 3 * round(middle / 3)
    if power and abs(middle - power) < np.log10(3):
        return _counts(found, power, drop)
    return Finding(
        NAME,
        "REVIEW",
        f"{found}, which no common unit explains.",
        f"Check the units of n_params and n_tokens (images cost more than tokens), or {drop}.",
    )


def _counts(found: str, power: int, drop: str) -> Finding:
    """Say that compute and counts disagree by powers of a thousand: one of them is in a unit."""
    off, factor = ("small", 10.0**power) if power > 0 else ("large", 10.0**-power)
    return Finding(
        NAME,
        "FAIL",
        f"{found}: n_params or n_tokens is {factor:g} times too {off} (thousands, millions or"
        " billions taken for ones), or both are by less, or flops is in another unit.",
        "Write '70M' or '1.5B' in the file, or read_runs(frame.assign(n_tokens="
        f"{10.0**power:g} * frame['n_tokens'])) where it is the tokens; where it is flops, {drop}.",
    )


CHECK = Check(NAME, (FLOPS, N_PARAMS, N_TOKENS), run)
