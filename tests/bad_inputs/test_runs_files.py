"""Every file with one fault is refused, and the message shows the value found."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayescale.errors import RunsTableError
from bayescale.runs.table import read_runs

FOLDER = Path(__file__).parent / "runs"

FAULTS = {
    "text_in_number.csv": r"column n_tokens \(tokens\) holds 1 .*row 1: 'about 4e9'.*1\.5B",
    "suffix_in_loss.csv": r"column loss \(nats per token\).*row 1: '3\.1M'",
    "decimal_comma.csv": r"column loss .*row 1: '3,123'",
    "nan_loss.csv": r"column loss .*row 1: nan.*where='loss>0'",
    "empty_cell.csv": r"column n_tokens .*row 1: nan.*where='n_tokens>0'",
    "infinite_params.csv": r"column n_params \(parameters\).*row 1: inf",
    "huge_params.csv": r"column n_params .*above 1e\+24, .*row 1: 1e\+300;.*'n_params<=1e\+24'",
    "zero_tokens.csv": r"column n_tokens .*not finite and above zero \(row 2: 0;",
    "negative_loss.csv": r"column loss .*row 0: -3\.4",
    "negative_flops.csv": r"column flops \(FLOPs\).*row 1: -4\.8e\+18",
    "infinite_learning_rate.csv": r"column learning_rate .*row 1: inf",
    "unknown_status.csv": r"column status .*row 1: 'finnished'.*Did you mean 'finished'",
    "two_spellings.csv": r"'params' and 'num_params' can both .*columns=\{'n_params': 'params'\}",
    "duplicate_column.csv": r"1 column name\(s\) occur twice: loss",
    "ragged_long.csv": r"line 3 has 4 cells, the header has 3 \(1 such line",
    "ragged_short.csv": r"line 3 has 2 cells, the header has 3",
    "header_only.csv": r"header_only\.csv.*has a header and no rows",
    "empty.csv": r"empty\.csv: the file is empty",
    "blank.csv": r"blank\.csv: the file is empty",
    "semicolons.csv": r"column loss .*row 0: '3,4', row 1: '3,1'.*2\.345",
    "latin1.csv": r"byte 0xe9 is not UTF-8",
    "garbage.csv": r"byte 0x89 is not UTF-8",
    "damaged.parquet": r"damaged\.parquet: cannot be read \(.*[Pp]arquet",
    "not_gzip.csv.gz": r"cannot be read \(Not a gzipped file \(b'a '",
    "cut_short.csv.gz": r"cannot be read \(Compressed file ended",
    "open_quote.csv": r"cannot be read \(unexpected end of data\)",
    "notes.txt": r"files ending in '\.txt' are not read.*\.parquet",
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_file_is_refused_with_the_value_found(name: str) -> None:
    with pytest.raises(RunsTableError, match=f"(?s){FAULTS[name]}"):
        read_runs(FOLDER / name)


def test_every_faulty_file_is_tried() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(FAULTS)
