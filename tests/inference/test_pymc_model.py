"""The PyMC model of a fit is the one that NUTS samples, on the runs of the fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.errors import RunsTableError

MODEL = "chinchilla_plain_weak"


def test_the_model_of_a_posterior_holds_its_runs(runs_file: Path, tmp_path: Path) -> None:
    posterior = bs.fit(runs_file, MODEL)
    model = bs.pymc_model(posterior.save(tmp_path / "p.nc"))
    coefficients = {"loss_ref", "E_share", "N_share", "alpha", "beta", "sigma"}
    assert {variable.name for variable in model.free_RVs} == coefficients
    assert [potential.name for potential in model.potentials] == ["log_likelihood"]
    log_loss = np.log(pd.read_csv(runs_file)["loss"])
    np.testing.assert_allclose(model["data_log_loss"].get_value(), log_loss)


def test_groups_are_a_dimension(runs_file: Path) -> None:
    runs = pd.read_csv(runs_file)
    both = pd.concat([runs.assign(dataset="a"), runs.assign(dataset="b")], ignore_index=True)
    with pytest.warns(UserWarning, match="groups were fitted apart"):
        posterior = bs.fit(both, MODEL, group="dataset", pooling="none")
    assert bs.pymc_model(posterior).coords["group"] == (0, 1)


def test_what_is_no_fit_is_refused() -> None:
    with pytest.raises(RunsTableError, match="runs are read from a path"):
        bs.pymc_model(7)
