"""Every table we know lies inside the 99 % prior predictive interval of the default model.

The expectation is one row in a hundred outside. Rows of one table are not independent, so the
allowance is the binomial one for as many rows as the table has groups of runs, and at least ten.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayescale.models.catalog import load_model
from bayescale.models.density import Density
from bayescale.models.problem import Problem, choose_constants
from bayescale.runs import read_runs
from bayescale.runs.catalog import list_runs, load_card

N_DRAWS = 2000
MAX_ROWS = 60
MAX_GROUPS = 8
KINDS = ("dataset", "architecture", "loss_kind", "downstream_task")
PUBLIC = (
    "bigcode_isoflop",
    "chinchilla",
    "datablations",
    "datablations_curves",
    "gadre_grid",
    "gadre_losses",
    "hitchhiker_curves",
    "llama3_isoflop",
    "marin_isoflop",
    "misfitting",
    "mixing_laws",
    "porian",
    "pythia_evals",
    "routing",
    "xlstm",
)
"""The public tables that measure a positive loss against parameters and tokens."""


def outside(inputs, log_loss):
    """Return how many of a group's rows lie outside, and how many rows were looked at."""
    spec = load_model()
    few = np.linspace(0, len(log_loss) - 1, min(MAX_ROWS, len(log_loss))).round().astype(int)
    constants = choose_constants(spec, inputs, log_loss)
    inputs, log_loss = {name: values[few] for name, values in inputs.items()}, log_loss[few]
    trunks = np.full(len(few), "")
    group = Problem(spec=spec, inputs=inputs, log_loss=log_loss, trunks=trunks, constants=constants)
    density, rng = Density(group), np.random.default_rng(20)
    x = density.sample_prior(N_DRAWS, rng)
    variance = np.exp(2 * x[:, [density.symbols.index("sigma")]]) + spec.noise.floor**2
    if spec.discrepancy is not None:
        growth = group.amplitude(group.positions)
        variance = variance + (np.exp(x[:, [density.symbols.index("tau")]]) * growth) ** 2
    predicted = density.log_loss(x) + np.sqrt(variance) * rng.standard_normal((N_DRAWS, len(few)))
    low, high = np.quantile(predicted, [0.005, 0.995], axis=0)
    return int(((log_loss < low) | (log_loss > high)).sum()), len(few)


def assert_inside(groups):
    found = [outside(inputs, log_loss) for inputs, log_loss in groups]
    out, rows = (sum(column) for column in zip(*found, strict=True))
    n_effective = max(10, len(found))
    allowed = stats.binom.ppf(0.999, n_effective, 0.01) / n_effective
    assert out / rows <= allowed, f"{out} of {rows} rows in {len(found)} groups lie outside"


def cut(frame, columns):
    """Yield the inputs and log losses of every group large enough to be fitted."""
    for _, part in (
        frame.groupby(list(columns), sort=True, dropna=False) if columns else [((), frame)]
    ):
        if len(part) >= 7 and part.n_params.nunique() > 1:
            inputs = {name: part[name].to_numpy(float) for name in ("n_params", "n_tokens")}
            yield inputs, np.log(part.loss.to_numpy(float))


@pytest.mark.parametrize("name", list_runs())
def test_shipped_table(name):
    table, _ = read_runs(name).usable()
    assert_inside(list(cut(table.frame, load_card(name).default_group)))


@pytest.mark.parametrize("name", PUBLIC)
def test_public_table(public_data, name):
    frame = pd.read_csv(public_data / f"{name}.csv", low_memory=False)
    frame = frame.rename(columns={"params": "n_params", "tokens": "n_tokens"})
    frame = frame.dropna(subset=["n_params", "n_tokens", "loss"])
    frame = frame[(frame.loss > 0) & (frame.n_tokens >= frame.n_params)]
    kinds = [kind for kind in KINDS if kind in frame]
    # Some tables write the shape of the network where others write its architecture.
    groups = list(cut(frame, kinds)) or list(cut(frame, [k for k in kinds if k != "architecture"]))
    assert groups
    few = np.linspace(0, len(groups) - 1, min(MAX_GROUPS, len(groups))).round().astype(int)
    assert_inside([groups[k] for k in few])
