"""The linter as a whole: one finding a check, on clean, on poor and on public tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from bayescale.errors import RunsTableError, UnknownNameError
from bayescale.runs.lint import CHECKS, Finding, lint
from bayescale.runs.table import RunsTable, read_runs

NAMES = [check.name for check in CHECKS]

READ = {
    "dclm": "loss>0",
    "open_llm_benchmarks": "n_tokens>0",
    "pythia_evals": "loss>0",
    "sft_rectified": "n_tokens>0",
}
"""Public tables with gaps or zeros, and the condition that reads the rest."""

EXPECTED = {
    "chinchilla": {"imputed_tokens": "REVIEW", "tokens_per_parameter": "FAIL", "trend": "PASS"},
    "bigcode_isoflop": {"imputed_tokens": "REVIEW", "mixed_groups": "PASS"},
    "gadre_grid": {"fixed_ratio": "REVIEW", "imputed_tokens": "PASS"},
    "gadre_losses": {"mixed_groups": "FAIL", "units_flops": "PASS"},
    "llama3_isoflop": {"units_loss": "REVIEW", "imputed_tokens": "REVIEW"},
    "misfitting": {"annealing": "REVIEW", "embeddings": "PASS"},
    "datablations": {"repeated_data": "REVIEW"},
    "datablations_curves": {"annealing": "REVIEW", "duplicates": "REVIEW"},
    "dclm": {"units_loss": "REVIEW"},
    "revisiting": {"units_loss": "REVIEW"},
    "xlstm": {"annealing": "REVIEW", "outliers": "REVIEW", "units_counts": "PASS"},
    "marin_isoflop": {"annealing": "PASS", "fixed_ratio": "PASS"},
    "routing": {"units_flops": "PASS", "annealing": "REVIEW"},
    "laion_vlm": {"units_flops": "REVIEW", "units_loss": "PASS"},
}


def test_a_frame_and_one_column_will_do(runs: RunsTable) -> None:
    frame = runs.frame.assign(recipe="a")
    assert lint(frame, "recipe") == lint(read_runs(frame), ("recipe",))


def by_check(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


def test_a_clean_table_passes_every_check(runs: RunsTable) -> None:
    findings = lint(runs)
    assert [finding.check for finding in findings] == NAMES
    assert {f.check: f.message for f in findings if f.level != "PASS"} == {}
    assert all(f.message and not f.recommendation and not f.rows for f in findings)


def test_a_table_without_columns_passes_and_says_so() -> None:
    findings = lint(read_runs(pd.DataFrame({"width": [1, 2]})))
    assert {f.check for f in findings if f.level != "PASS"} == {"columns"}
    assert by_check(findings)["trend"].message == (
        "Not checked: no column n_params, n_tokens, loss."
    )


def test_one_row_is_linted() -> None:
    findings = by_check(lint(read_runs(pd.DataFrame({"N": [1e9], "D": [2e10], "L": [3.0]}))))
    assert findings["enough_runs"].level == "FAIL"
    assert findings["compute_span"].level == "REVIEW"


def test_an_unknown_group_names_the_nearest(runs: RunsTable) -> None:
    with pytest.raises(UnknownNameError, match="unknown column 'datset'"):
        lint(runs, ("datset",))


def test_a_spelled_group_is_resolved(frame: pd.DataFrame) -> None:
    two = pd.concat([frame, frame.assign(dataset="pile")])
    assert by_check(lint(read_runs(two)))["mixed_groups"].level == "FAIL"
    assert by_check(lint(read_runs(two), ("corpus",)))["mixed_groups"].level == "PASS"


def test_the_table_is_unchanged(runs: RunsTable) -> None:
    before = runs.fingerprint
    lint(runs)
    assert runs.fingerprint == before


def test_every_public_table_is_read_and_linted(public_data: Path) -> None:
    names = sorted(path.stem for path in public_data.glob("*.csv"))
    assert len(names) >= 26
    for name in names:
        if name == "vocab":
            continue
        runs = read_runs(public_data / f"{name}.csv", where=READ.get(name))
        findings = lint(runs)
        assert [finding.check for finding in findings] == NAMES
        for finding in findings:
            assert finding.message.endswith((".", "?"))
            assert bool(finding.recommendation) == (finding.level != "PASS")
            assert all(0 <= row < len(runs) for row in finding.rows)
        levels = {finding.check: finding.level for finding in findings}
        expected = EXPECTED.get(name, {})
        assert {check: levels[check] for check in expected} == expected, name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vocab", r"column loss .* holds 1200 value.*row 0: -1\.34945"),
        ("dclm", r"column loss .* holds 3085 value.*nan.*where='loss>0'"),
        ("sft_rectified", r"column n_tokens .* holds 90 value.*row 0: 0, .*where='n_tokens>0'"),
    ],
)
def test_public_tables_with_gaps_are_refused(public_data: Path, name: str, message: str) -> None:
    with pytest.raises(RunsTableError, match=message):
        read_runs(public_data / f"{name}.csv")


def test_public_tables_survive_a_round_trip(public_data: Path, tmp_path: Path) -> None:
    for name in ("chinchilla", "xlstm", "porian"):
        runs = read_runs(public_data / f"{name}.csv")
        for ending in ("csv", "parquet"):
            again = read_runs(runs.save(tmp_path / f"{name}.{ending}"))
            assert again.fingerprint == runs.fingerprint
