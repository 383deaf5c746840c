"""The PyMC model: what it is made of, how its data are swapped, and what it refuses."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from pytensor.compile.mode import Mode
from simulated import problem

from bayescale.errors import ModelError
from bayescale.laws import Prior
from bayescale.models.build import build_model, problem_data
from bayescale.models.catalog import list_models, load_model
from bayescale.models.density import Density
from bayescale.models.problem import pooled_constants

NO_COMPILER = Mode(linker="py", optimizer="fast_compile")


def names(variables):
    return {variable.name for variable in variables}


@pytest.mark.parametrize("name", list_models())
def test_only_data_have_the_length_of_the_data(name):
    spec = load_model(name)
    problems = [problem(spec, 23, 1), problem(spec, 18, 2)]
    if spec.pools:
        shared = pooled_constants(spec, [(p.inputs, p.log_loss) for p in problems])
        problems = [replace(p, constants=c) for p, c in zip(problems, shared, strict=True)]
    model = build_model(problems)
    assert model.coords["group"] == (0, 1)
    assert set(model.coords) - {"weight"} == {"group"}
    shapes = {v.name: v.eval(mode=NO_COMPILER).shape for v in model.deterministics}
    assert set(shapes.values()) <= {(), (2,)}
    lengths = {v.name: v.get_value().shape for v in model.data_vars}
    assert {name for name, shape in lengths.items() if 41 in shape} == {
        "data_log_loss",
        "data_group_of_run",
        "data_eigenvalues",
        *(f"data_ratio_{name}" for name in problems[0].law.inputs),
        *({"data_rotation", "data_features"} & set(lengths)),
    }


def test_priors_are_native_and_sampled_without_bounds():
    model = build_model([problem(load_model("chinchilla_gp_weak"))])
    transforms = {rv.name: model.rvs_to_transforms[rv].name for rv in model.free_RVs}
    assert transforms == {
        "loss_ref": "log",
        "E_share": "logodds",
        "N_share": "logodds",
        "alpha": "log",
        "beta": "log",
        "sigma": "log",
        "tau": "log",
    }


def test_other_runs_are_swapped_in_without_rebuilding():
    spec = load_model("chinchilla_gp_weak")
    model = build_model([problem(spec, 20, 1)])
    log_density = model.compile_logp(mode=NO_COMPILER)
    other = problem(spec, 33, 2, trunks=True)
    pm.set_data(problem_data([other]), model=model)
    density = Density(other)
    x = density.sample_prior(1, np.random.default_rng(0))
    values = {
        model.rvs_to_values[rv].name: x[:, density.symbols.index(rv.name)] for rv in model.free_RVs
    }
    assert log_density(values) == pytest.approx(density(x)[0], rel=1e-8)


def test_rotation_is_block_diagonal_over_groups():
    spec = load_model("chinchilla_plain_weak")
    data = problem_data([problem(spec, 6, 1, trunks=True), problem(spec, 4, 2)])
    assert data["data_rotation"].shape == (10, 10)
    assert (data["data_rotation"][:6, 6:] == 0).all()
    np.testing.assert_array_equal(data["data_rotation"][6:, 6:], np.eye(4))
    assert "data_rotation" not in problem_data([problem(spec, 6, 1), problem(spec, 4, 2)])


def test_partial_pooling_declares_a_population_and_never_pools_the_level():
    spec = load_model("chinchilla_plain_weak_partial")
    model = build_model([problem(spec, 12, k) for k in range(3)])
    pooled = ("E_share", "N_share", "alpha", "beta")
    assert names(model.free_RVs) == {
        "loss_ref",
        "sigma",
        *(f"{part}_{symbol}" for symbol in pooled for part in ("mu", "spread", "offset")),
    }
    assert names(model.deterministics) == set(pooled)


def test_partial_pooling_has_the_density_of_its_definition():
    spec = load_model("chinchilla_plain_weak_partial")
    problems = [problem(spec, 12, k) for k in range(3)]
    centred = replace(spec, centred=("alpha",))
    model = build_model([replace(p, spec=centred) for p in problems])
    log_density = model.compile_logp(mode=NO_COMPILER)
    rng = np.random.default_rng(4)
    shapes = {rv.name: (3,) if rv.ndim else () for rv in model.free_RVs}
    draw = {name: np.asarray(rng.normal(0.0, 0.3, shape)) for name, shape in shapes.items()}
    draw["loss_ref"] += [p.constants.level for p in problems]
    draw["sigma"] -= 4.0
    for symbol in ("alpha", "beta"):
        draw[f"mu_{symbol}"] -= 1.0
    values = {model.rvs_to_values[rv].name: draw[rv.name] for rv in model.free_RVs}

    def log_normal(x, mean, sd):
        return -0.5 * ((x - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)

    expected, coordinates = 0.0, {"loss_ref": draw["loss_ref"], "sigma": draw["sigma"]}
    for symbol, centre, sd, scale in [
        ("E_share", 0.0, 1.0, 0.5),
        ("N_share", 0.0, 1.0, 0.5),
        ("alpha", -1.0498, 0.4, 0.2),
        ("beta", -1.0498, 0.4, 0.2),
    ]:
        mean, log_spread = draw[f"mu_{symbol}"], draw[f"spread_{symbol}"]
        spread = np.exp(log_spread)
        expected += log_normal(mean, centre, sd)
        expected += np.log(2.0) + log_normal(spread, 0.0, scale) + log_spread
        if symbol == "alpha":
            coordinates[symbol] = draw[symbol]
            expected += log_normal(draw[symbol], mean, spread).sum()
        else:
            coordinates[symbol] = mean + spread * draw[f"offset_{symbol}"]
            expected += log_normal(draw[f"offset_{symbol}"], 0.0, 1.0).sum()
    for k, group in enumerate(problems):
        density = Density(replace(group, spec=replace(spec, pooling="none")))
        x = np.array([[coordinates[symbol][k] for symbol in density.symbols]])
        expected += log_normal(x[0, 0], group.constants.level, 0.5)
        expected += log_normal(x[0, 5], -5.0, 1.0)
        expected += density(x)[0] - density.log_prior(x)[0]
    assert log_density(values) == pytest.approx(expected, rel=1e-10)


def test_no_groups_and_mixed_models_are_refused():
    with pytest.raises(ModelError, match="got 0 problems"):
        build_model([])
    first = problem(load_model("chinchilla_plain_weak"))
    second = problem(load_model("coupled_plain_weak"))
    with pytest.raises(ModelError, match=r"'chinchilla_plain_weak' .* and 'coupled_plain_weak'"):
        build_model([first, second])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"priors": {"alpha": Prior("Gamma", {"alpha": 4.0, "beta": 12.0})}},
            r"'alpha' is pooled, but its prior is Gamma\(alpha=4.0, beta=12.0\).*a LogNormal",
        ),
        (
            {"priors": {"alpha": Prior("LogNormal", {"mu": "level", "sigma": 1.0})}},
            r"'alpha' is pooled, but its prior is LogNormal\(mu=level",
        ),
        (
            {"derived_priors": {"E": Prior("Normal", {"mu": 1.7, "sigma": 0.1})}},
            "a prior on 'E' replaces the prior of 'E_share'",
        ),
        (
            {"slopes": {"E_share": {"over_training": -0.5}}},
            "covariates move the prior of 'E_share'",
        ),
    ],
    ids=["Gamma", "level", "derived", "slopes"],
)
def test_what_cannot_be_pooled_is_refused(change, message):
    spec = load_model("chinchilla_plain_weak_partial")
    if "priors" in change:
        change = {"priors": {**spec.priors, **change["priors"]}}
    spec = replace(spec, **change)
    with pytest.raises(ModelError, match=message):
        build_model([problem(spec, 12, k) for k in range(2)])
