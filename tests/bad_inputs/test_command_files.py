"""Points, posteriors, priors and sweep plans with one fault each end in status 2 with the value."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayescale.cli import main

FOLDER = Path(__file__).parent
RUNS = "cpu_gcide_llama"

FAULTS = {
    "points/empty.csv": "the file is empty",
    "points/header_only.csv": "has a header and no rows",
    "points/missing_column.csv": "no column n_tokens",
    "points/nan_tokens.csv": "column n_tokens has no value in 1 rows",
    "points/negative_tokens.csv": "row 0: -1.4e+11",
    "points/text_in_number.csv": "row 0: 'about 2e12'",
    "posteriors/empty.nc": "empty.nc' is corrupt or not one of ours",
    "posteriors/text.nc": "text.nc' is corrupt or not one of ours",
    "priors/negative_sigma.yaml": "argument 'sigma' is -0.4",
    "priors/number.yaml": "prior of 'alpha': found 0.35",
    "priors/runs_code.yaml": "python/object/apply:os.system",
    "priors/unknown_coefficient.yaml": "Did you mean 'alpha'",
    "priors/wrong_support.yaml": "prior of 'alpha' is Beta",
    "sweeps/negative_batch.yaml": "batch_tokens is -1024",
    "sweeps/runs_code.yaml": "python/object/apply:os.system",
    "sweeps/unknown_corpus.yaml": "Did you mean 'python_stdlib'",
    "sweeps/unknown_key.yaml": "unknown key 'sedes'. Did you mean 'seeds'",
}


def call_with(name: str, out: Path) -> list[str]:
    """Return the words of a command that reads the faulty file and would write `out`."""
    path, points = str(FOLDER / name), str(out.with_name("points.csv"))
    calls = {
        "points": ["forecast", RUNS, "--at", path, "--out", f"{out}.csv"],
        "posteriors": ["forecast", path, "--at", points, "--out", f"{out}.csv"],
        "priors": ["fit", RUNS, "--priors", path, "--out", f"{out}.nc"],
        "sweeps": ["sweep", path, "--out", str(out)],
    }
    return calls[name.split("/")[0]]


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_file_ends_in_status_2_and_nothing_is_written(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if name.startswith("sweeps"):
        pytest.importorskip("torch", reason="the harness needs the extra `harness`")
    out = tmp_path / "out" / "file"
    with pytest.raises(SystemExit, match="2"):
        main(call_with(name, out))
    message = " ".join(capsys.readouterr().err.split())
    assert "error: " in message
    assert FAULTS[name].replace(". Did", ". way out: Did") in message
    assert not out.parent.exists()


def test_every_faulty_file_is_tried() -> None:
    folders = {name.split("/")[0] for name in FAULTS}
    found = {f"{folder}/{path.name}" for folder in folders for path in (FOLDER / folder).iterdir()}
    assert found == set(FAULTS)
