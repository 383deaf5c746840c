"""What every registered law must do, whichever array library evaluates it."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr
from pytensor.compile.mode import Mode

from bayescale.errors import UnknownNameError
from bayescale.laws import Law, list_laws, load_law

from .printed import PRINTED, RISES, UNVERIFIED
from .simulated_tables import design

NO_COMPILER = Mode(linker="py", optimizer=None)


def prior_draws(law: Law, n_draws: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        c.symbol: np.asarray(c.prior.quantile(rng.uniform(0.01, 0.99, n_draws), 1.1))
        for c in law.coefficients
    }


def input_ratios(law: Law, n_runs: int, seed: int = 1) -> dict[str, np.ndarray]:
    inputs = design(law, n_runs, np.random.default_rng(seed))
    middle = {name: np.exp(np.log(inputs[name]).mean()) for name in law.ratios}
    return {name: values / middle.get(name, 1.0) for name, values in inputs.items()}


@pytest.mark.parametrize("name", list_laws())
def test_every_array_library_gives_the_same_output(name):
    law = load_law(name)
    coefficients, inputs = prior_draws(law, 20), input_ratios(law, 15)
    expected = law.evaluate(inputs, {s: v[:, None] for s, v in coefficients.items()})
    assert expected.shape == (20, 15)
    assert not law.quantity(law.output).wrong(expected, open_ends=True).any()

    labelled = law.evaluate(
        {name: xr.DataArray(v, dims="run") for name, v in inputs.items()},
        {s: xr.DataArray(v, dims="draw") for s, v in coefficients.items()},
    )
    np.testing.assert_allclose(labelled.transpose("draw", "run").values, expected, rtol=1e-13)

    symbolic = {s: pt.col(s) for s in coefficients}
    loss = law.evaluate({n: pt.as_tensor_variable(v) for n, v in inputs.items()}, symbolic)
    function = pytensor.function(list(symbolic.values()), loss, mode=NO_COMPILER)
    with pytensor.config.change_flags(mode="FAST_COMPILE"):  # of a node with a graph inside
        tensors = function(*(v[:, None] for v in coefficients.values()))
    np.testing.assert_allclose(tensors, expected, rtol=1e-12)


@pytest.mark.parametrize("name", list_laws())
def test_output_falls_with_every_input_but_those_that_are_named(name):
    law = load_law(name)
    coefficients, inputs = prior_draws(law, 50), input_ratios(law, 1)
    start = law.evaluate(inputs, coefficients)
    for column in set(law.inputs) - set(RISES.get(name, ())):
        more = {**inputs, column: 2.0 * inputs[column]}
        assert (law.evaluate(more, coefficients) < start).all(), column


PUBLISHED = [(name, k) for name in list_laws() for k in range(len(load_law(name).published))]


def reference_run(law: Law, run: dict[str, float], scale: float = 1.0) -> dict[str, float]:
    """Return a run to divide by: each input's own or the one it shares; 1 for what enters plain."""
    own = {name: law.quantity(name).shares or name for name in law.inputs}
    return {name: scale * run[own[name]] if name in law.ratios else 1.0 for name in law.inputs}


def divided(run: dict[str, float], reference: dict[str, float]) -> dict[str, float]:
    return {name: value / reference[name] for name, value in run.items()}


@pytest.mark.parametrize(("name", "k"), PUBLISHED)
def test_published_prediction_is_reproduced(name, k):
    law = load_law(name)
    published = law.published[k]
    printed = PRINTED[name](published.textbook, **published.at)
    assert printed == pytest.approx(published.value, rel=5e-5)
    for scale in (1.0, 1e-4, 37.0):
        reference = reference_run(law, published.at, scale)
        sampled = law.from_textbook(published.textbook, reference)
        found = float(law.evaluate(divided(published.at, reference), sampled))
        assert found == pytest.approx(printed, rel=1e-7), scale


def test_every_shipped_law_reproduces_a_published_prediction_or_says_why_not():
    missing = {name for name in list_laws() if not load_law(name).published}
    assert missing == set(UNVERIFIED)


@pytest.mark.parametrize("name", list_laws())
def test_textbook_round_trip_and_same_prediction(name):
    law, rng = load_law(name), np.random.default_rng(3)
    runs = design(law, 24, rng)
    runs = [{c: float(runs[c][k]) for c in law.inputs} for k in range(24)]
    for reference, at in zip(runs[:12], runs[12:], strict=True):
        reference = reference_run(law, reference)
        sampled = {
            c.symbol: float(c.prior.quantile(rng.uniform(0.05, 0.95), 0.3))
            for c in law.coefficients
        }
        textbook = law.textbook(sampled, reference)
        back = law.from_textbook(textbook, reference)
        assert list(back) == list(law.symbols)
        for symbol, value in sampled.items():
            assert back[symbol] == pytest.approx(value, rel=1e-6, abs=1e-9), symbol
        found = float(law.evaluate(divided(at, reference), sampled))
        assert found == pytest.approx(PRINTED[name](textbook, **at), rel=1e-8)


@pytest.mark.parametrize("name", list_laws())
def test_derived_quantity_is_its_coefficient_times_the_first(name):
    law = load_law(name)
    draws = prior_draws(law, 10)
    textbook = law.textbook(draws, dict.fromkeys(law.inputs, 1e9))
    for quantity, symbol in law.derived.items():
        np.testing.assert_allclose(textbook[quantity], draws[symbol] * draws[law.symbols[0]])


def test_chinchilla_is_coupled_at_gamma_one_and_kaplan_is_coupled_without_floor():
    inputs = input_ratios(load_law("chinchilla"), 30)
    shared = {"loss_ref": 2.4, "N_share": 0.4, "alpha": 0.3, "beta": 0.25}
    coupled = load_law("coupled")
    np.testing.assert_allclose(
        load_law("chinchilla").evaluate(inputs, {**shared, "E_share": 0.6}),
        coupled.evaluate(inputs, {**shared, "E_share": 0.6, "gamma": 1.0}),
        rtol=1e-14,
    )
    np.testing.assert_allclose(
        load_law("kaplan").evaluate(inputs, shared),
        coupled.evaluate(inputs, {**shared, "E_share": 0.0, "gamma": 0.25}),
        rtol=1e-14,
    )


def test_unknown_law_names_the_nearest():
    with pytest.raises(UnknownNameError, match=r"unknown law 'chinchila'.*Did you mean 'chinch"):
        load_law("chinchila")


@pytest.mark.parametrize("name", list_laws())
def test_law_prints_on_one_line(name):
    text = repr(load_law(name))
    assert "\n" not in text
    assert text.startswith(f"Law {name}: ")
