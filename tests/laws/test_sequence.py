"""Laws of schedules against their printed sums, step by step; other laws along a sequence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayescale.errors import LawError
from bayescale.laws import LAWS, list_sequence_laws, load_law
from bayescale.laws.sequence import sequence_inputs
from bayescale.runs.curves import read_curves
from bayescale.runs.schedule import Schedule
from tests.simulated_curves import MULTI_POWER, PEAK, STEPS, WARMUP

AT = np.array([3000.0, 7999.0, 8000.0, 8300.0, 15000.0, 21000.0, 23999.0])

ANNEALING = {"L_0": 2.5, "A": 0.65, "alpha": 0.43, "C": 2.0, "lambda": 0.995}
POSITION = {"a_0": 3.0, "a_1": 0.5, "a_2": 2.0}
TEXTBOOK = {
    "multi_power": MULTI_POWER,
    "learning_rate_annealing": ANNEALING,
    "token_position": POSITION,
}


def _rates(name: str) -> np.ndarray:
    """Return the rate of every step, as a training program would set it."""
    step = np.arange(STEPS)
    falling = np.clip((step - WARMUP) / (STEPS - WARMUP), 0.0, 1.0)
    after = {
        "jump": np.where(step < 8000, PEAK, 0.3 * PEAK),
        "cosine": PEAK * (0.1 + 0.45 * (1.0 + np.cos(np.pi * falling))),
        "rise": np.where(step < 8000, PEAK, np.where(step < 15000, 0.3 * PEAK, 0.6 * PEAK)),
    }[name]
    return np.where(step < WARMUP, PEAK * (step + 0.5) / WARMUP, after)


def _schedule(rates: np.ndarray) -> Schedule:
    changes = np.concatenate([[True], np.diff(rates) != 0.0])
    return Schedule(np.flatnonzero(changes).astype(float), rates[changes])


def _printed_multi_power(t: dict[str, float], rates: np.ndarray, at: int) -> float:
    area = np.concatenate([[0.0], np.cumsum(rates)])
    k = np.arange(min(at + 1, STEPS))  # The authors' program counts the warm-up too.
    since = area[at] - area[k]
    gain = 1.0 - (t["C"] * rates[k] ** -t["gamma"] * since + 1.0) ** -t["beta"]
    drop = t["B"] * (-np.diff(rates[: at + 1], prepend=0.0) * gain).sum()
    return float(t["L_0"] + t["A"] * area[at] ** -t["alpha"] - drop)


def _printed_annealing(t: dict[str, float], rates: np.ndarray, at: int) -> float:
    momentum, total = 0.0, 0.0
    for k in range(WARMUP + 1, at):
        momentum = t["lambda"] * momentum + rates[k - 1] - rates[k]
        total += momentum
    return float(t["L_0"] + t["A"] * rates[:at].sum() ** -t["alpha"] - t["C"] * total)


AUTHORS = {
    "mpl_25M": (3.040454, 0.524686, 0.507869, 363.787516, 2.065608, 0.582790, 0.641423),
    "mpl_100M": (2.651448, 0.601152, 0.452958, 437.946428, 2.132456, 0.597852, 0.655236),
    "mpl_400M": (2.374745, 0.654212, 0.428787, 523.424644, 2.024627, 0.593505, 0.634725),
}
"""Coefficients in the authors' program, in the order of `MULTI_POWER`."""

PRINTED_RMSE = {"mpl_25M": 0.00465, "mpl_100M": 0.00592, "mpl_400M": 0.00730}

PRINTED = {"multi_power": _printed_multi_power, "learning_rate_annealing": _printed_annealing}


@pytest.mark.parametrize("shape", ["jump", "cosine", "rise"])
@pytest.mark.parametrize("name", sorted(PRINTED))
def test_a_law_of_schedules_is_its_printed_sum(name: str, shape: str):
    rates, law, textbook = _rates(shape), load_law(name), TEXTBOOK[name]
    schedule = _schedule(rates)
    reference = {"at": float(STEPS), "area": float(schedule.area(STEPS)), "peak": PEAK}
    coefficients = law.from_textbook(textbook, reference)
    found = law.evaluate(sequence_inputs(law, AT, schedule, reference), coefficients)
    wanted = [PRINTED[name](textbook, rates, int(at)) for at in AT]
    # 48 pieces stand for 22000 changes of a cosine.
    np.testing.assert_allclose(found, wanted, atol=4e-4 if shape == "cosine" else 4e-5)


@pytest.mark.parametrize("family", sorted(AUTHORS))
def test_the_authors_coefficients_have_their_printed_error(family: str, public_data: Path):
    frame = pd.read_csv(public_data / "lr_schedule_curves.csv")
    hidden = frame[(frame["family"] == family) & (frame["split"] == "test")]
    law, reference = load_law("multi_power"), {"at": 1.0, "area": 1.0, "peak": PEAK}
    textbook = dict(zip(MULTI_POWER, AUTHORS[family], strict=True))
    coefficients, errors = law.from_textbook(textbook, reference), []
    for curve in read_curves(hidden, rate="learning_rate", warmup=2160):
        read = sequence_inputs(law, curve.at, curve.schedule, reference)
        errors.append(np.sqrt(np.mean((law.evaluate(read, coefficients) - curve.output) ** 2)))
    # The rate is read off the log here, every 128 steps.
    assert np.mean(errors) == pytest.approx(PRINTED_RMSE[family], rel=0.02)


@pytest.mark.parametrize("name", list_sequence_laws())
def test_textbook_coefficients_come_back(name: str):
    law, reference = load_law(name), {"at": 512.0, "area": 6.0, "peak": PEAK}
    again = law.textbook(law.from_textbook(TEXTBOOK[name], reference), reference)
    assert again == pytest.approx(TEXTBOOK[name])


def test_the_loss_of_a_position_is_hyperbolic():
    law, at, t = load_law("token_position"), np.array([1.0, 10.0, 512.0]), POSITION
    reference = {"at": 512.0}
    found = law.evaluate(sequence_inputs(law, at, None, reference), law.from_textbook(t, reference))
    np.testing.assert_allclose(found, t["a_0"] / (1.0 + t["a_1"] * at) + t["a_2"])


@pytest.mark.parametrize("name", list_sequence_laws())
def test_xarray_and_pytensor_agree_with_numpy(name: str):
    pytensor = pytest.importorskip("pytensor")
    law, schedule = load_law(name), _schedule(_rates("jump"))
    reference = {"at": float(STEPS), "area": 6.0, "peak": PEAK}
    read = sequence_inputs(law, AT, schedule, reference)
    values = {c.symbol: float(c.prior.quantile(0.5, 1.0)) for c in law.coefficients}
    wanted = law.evaluate(read, values)
    symbols = {symbol: pytensor.tensor.dscalar(symbol) for symbol in values}
    graph = law.evaluate(read, symbols)
    found = graph.eval({symbols[s]: v for s, v in values.items()}, mode="FAST_COMPILE")
    np.testing.assert_allclose(found, wanted)
    many = {symbol: xr.DataArray([value], dims="draw") for symbol, value in values.items()}
    arrays = {k: xr.DataArray(v, dims=("change", "step")[-v.ndim :]) for k, v in read.items()}
    np.testing.assert_allclose(law.evaluate(arrays, many).transpose("draw", "step")[0], wanted)


def test_a_law_of_schedules_needs_one():
    with pytest.raises(LawError, match="law 'multi_power' reads the learning rate"):
        sequence_inputs(load_law("multi_power"), AT, None, {"at": 1.0})


def test_a_law_of_two_inputs_runs_along_no_sequence():
    with pytest.raises(LawError, match="law 'chinchilla' reads n_params, n_tokens"):
        sequence_inputs(load_law("chinchilla"), AT, None, {"at": 1.0})


def test_laws_of_sequences_are_no_laws_of_runs():
    assert not set(list_sequence_laws()) & set(LAWS.names())
