"""A posterior saved is a posterior loaded; every damaged file is refused by name."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from simulated import chinchilla_frame

from bayescale.errors import InferenceError
from bayescale.inference.fit import fit
from bayescale.inference.posterior import load_posterior


@pytest.fixture(scope="module")
def saved(posterior, tmp_path_factory):
    return posterior.save(tmp_path_factory.mktemp("saved") / "posterior.nc")


def assert_same(first, second):
    assert second.spec.to_dict() == first.spec.to_dict()
    assert second.labels == first.labels
    assert second.group_columns == first.group_columns
    assert second.notes == first.notes
    assert second.provenance == first.provenance
    for name in ("draws", "population"):
        ours, theirs = getattr(first, name), getattr(second, name)
        assert set(ours) == set(theirs)
        for symbol, values in ours.items():
            np.testing.assert_array_equal(theirs[symbol], values)
    for ours, theirs in zip(first.problems, second.problems, strict=True):
        assert theirs.constants == ours.constants
        np.testing.assert_array_equal(theirs.log_loss, ours.log_loss)
        np.testing.assert_array_equal(theirs.trunks, ours.trunks)
        for column, values in ours.inputs.items():
            np.testing.assert_array_equal(theirs.inputs[column], values)
        np.testing.assert_allclose(theirs.whitening.eigenvalues, ours.whitening.eigenvalues)


def test_round_trip(posterior, saved):
    loaded = load_posterior(saved)
    assert_same(posterior, loaded)
    assert loaded.diagnostics.khat == posterior.diagnostics.khat
    assert repr(loaded) == repr(posterior)


def test_round_trip_with_groups_and_trunks(tmp_path):
    frames = [
        chinchilla_frame(12, seed=1).assign(dataset="web", trunk=[f"t{k // 2}" for k in range(12)]),
        chinchilla_frame(12, seed=2).assign(dataset="code", trunk=""),
    ]
    frame = pd.concat(frames, ignore_index=True)
    with pytest.warns(UserWarning, match="fitted apart"):
        posterior = fit(frame, "chinchilla_plain_weak", group="dataset", draws=50)
    assert_same(posterior, load_posterior(posterior.save(tmp_path / "p.nc")))


def test_loading_needs_neither_pymc_nor_torch_nor_arviz(saved):
    code = """
        import sys
        from bayescale.inference.posterior import load_posterior
        posterior = load_posterior(sys.argv[1])
        posterior.textbook()
        heavy = {"pymc", "pytensor", "torch", "arviz", "nutpie", "numba"} & set(sys.modules)
        assert not heavy, heavy
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(saved)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_arviz_opens_the_file(posterior, saved):
    opened = az.from_netcdf(str(saved))
    values = opened["posterior"]["alpha"].values
    np.testing.assert_array_equal(values, posterior.draws["alpha"])
    assert "log_loss" in opened["observed_data"]


def test_arviz_container_in_memory(posterior):
    values = posterior.to_arviz()["posterior"]["E_share"].values
    np.testing.assert_array_equal(values, posterior.draws["E_share"])


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_truncated_file_is_refused_by_name(saved, tmp_path, share):
    cut = tmp_path / "cut.nc"
    content = saved.read_bytes()
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InferenceError, match=r"cut\.nc'.*corrupt or not one of ours"):
        load_posterior(cut)


def test_overwritten_bytes_are_refused_by_name(saved, tmp_path):
    content, rng = saved.read_bytes(), np.random.default_rng(0)
    bad = tmp_path / "bad.nc"
    for start in rng.integers(0, len(content) - 200, 20):
        bad.write_bytes(content[:start] + b"damaged!" + content[start + 8 :])
        with pytest.raises(InferenceError, match=r"bad\.nc' is corrupt: its \d+ bytes do not"):
            load_posterior(bad)


def test_foreign_files_are_refused_by_name(tmp_path):
    text = tmp_path / "notes.nc"
    text.write_text("not a posterior")
    foreign = tmp_path / "foreign.nc"
    xr.Dataset({"x": ("t", [1.0, 2.0])}).to_netcdf(foreign, engine="h5netcdf")
    other = tmp_path / "other.nc"
    for mode, group in zip("waa", ("posterior", "constant_data", "observed_data"), strict=True):
        xr.Dataset({"x": ("t", [1.0])}).to_netcdf(other, mode=mode, group=group, engine="h5netcdf")
    for path in (text, foreign, other):
        with pytest.raises(InferenceError, match=rf"{path.name}'.*corrupt or not one of ours"):
            load_posterior(path)
    with pytest.raises(InferenceError, match=r"gone\.nc' does not exist"):
        load_posterior(tmp_path / "gone.nc")


def test_newer_format_is_refused(posterior, tmp_path):
    datasets = posterior.to_datasets()
    content = json.loads(datasets["posterior"].attrs["bayescale"])
    datasets["posterior"].attrs["bayescale"] = json.dumps({**content, "format": 99})
    path = tmp_path / "newer.nc"
    for mode, (group, dataset) in zip("waa", datasets.items(), strict=True):
        dataset.to_netcdf(path, mode=mode, group=group, engine="h5netcdf")
    with pytest.raises(InferenceError, match=r"newer\.nc' has format 99, newer than 1"):
        load_posterior(path)


def test_killed_while_writing_leaves_the_old_file(posterior, saved, tmp_path):
    target = tmp_path / "posterior.nc"
    target.write_bytes(saved.read_bytes())
    code = """
        import sys
        from bayescale.inference.posterior import load_posterior
        posterior = load_posterior(sys.argv[1])
        print("ready", flush=True)
        while True:
            posterior.save(sys.argv[1])
    """
    for pause in (0.02, 0.05, 0.11):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), str(target)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired, match="timed out"):
            child.wait(timeout=pause)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert_same(posterior, load_posterior(target))
