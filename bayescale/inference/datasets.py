"""Datasets as groups of one sealed NetCDF file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bayescale.arguments import PATH, check_arguments
from bayescale.errors import InferenceError
from bayescale.inference.seal import check_seal, seal
from bayescale.runs.save import write_atomically

if TYPE_CHECKING:
    import xarray as xr


def write_datasets(target: str | Path, datasets: Mapping[str, xr.Dataset]) -> Path:
    """Write datasets as groups of one NetCDF file, whole or not at all, and return its path."""

    def write(part: Path) -> None:
        for mode, (group, dataset) in zip(
            ["w"] + ["a"] * len(datasets), datasets.items(), strict=False
        ):
            dataset.to_netcdf(part, mode=mode, group=group, engine="h5netcdf")  # type: ignore[call-overload]
        seal(part)

    check_arguments("save", InferenceError, path=(target, PATH))
    return write_atomically(Path(target), write)


def read_datasets(path: str | Path, groups: Sequence[str], what: str) -> list[xr.Dataset]:
    """Return groups of a NetCDF file.

    Raises
    ------
    InferenceError
        When the file is missing, damaged, or holds no such groups.
    """
    import xarray as xr

    check_arguments(f"{what} file", InferenceError, path=(path, PATH))
    if not Path(path).is_file():
        raise InferenceError(f"{what} file {str(path)!r} does not exist.", "Check the path.")
    check_seal(Path(path), what)
    try:
        return [xr.load_dataset(path, group=group, engine="h5netcdf") for group in groups]
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise InferenceError(
            f"{what} file {str(path)!r} is corrupt or not one of ours: {error}.",
            "Write it again with the save method, or with `bayescale fit RUNS --out FILE.nc`.",
        ) from error
