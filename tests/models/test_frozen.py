"""Same name, same log density, for ever: each shipped model is pinned at one point.

A model file that changes what it means must be a new file. To pin a new one, run from the
repository's root

    python tests/models/test_frozen.py

which adds models without a pin to ``models/frozen_logp.json`` and never rewrites a pin.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from pytensor.compile.mode import Mode

from bayescale.laws import Prior, load_law
from bayescale.models.build import build_model
from bayescale.models.catalog import list_models, load_model
from bayescale.models.density import Density
from bayescale.models.problem import Problem, choose_constants, pooled_constants
from bayescale.models.spec import ModelSpec
from bayescale.registry import shipped

PINS = shipped("models") / "frozen_logp.json"

AT = {
    "E_share": 0.5,
    "N_share": -0.3,
    "alpha": -1.2,
    "beta": -1.1,
    "gamma": -0.2,
    "sigma": -5.5,
    "tau": -4.1,
}
"""Where, on the sampling coordinates: near the table, so that priors weigh in too."""


def frozen_problem(spec: ModelSpec, n_runs: int = 24, turn: float = 0.0) -> Problem:
    """Return runs made by arithmetic alone, so that no random generator can move them."""
    k = np.arange(n_runs)
    n_params = 1e7 * 1.3**k
    n_tokens = n_params * (20.0 + 15.0 * np.sin(1.7 * k + turn))
    columns = {"n_params": n_params, "n_tokens": n_tokens, "flops": 6.0 * n_params * n_tokens}
    inputs = {name: columns[name] for name in load_law(spec.law).inputs}
    loss = 1.8 + 480.0 / n_params**0.35 + 2080.0 / n_tokens**0.37
    log_loss = np.log(loss) + 0.004 * np.sin(5.0 * k + turn)
    trunks = np.array([f"t{row // 4}" if row < 12 else "" for row in k])
    constants = choose_constants(spec, inputs, log_loss)
    return Problem(spec=spec, inputs=inputs, log_loss=log_loss, trunks=trunks, constants=constants)


def log_density(spec: ModelSpec) -> float:
    """Return the joint log density of one group, or of two that share a population."""
    if spec.pools:
        return _pooled_log_density(spec)
    group = frozen_problem(spec)
    density = Density(group)
    at = {**AT, density.symbols[0]: group.constants.level + 0.02}
    x = [at.get(symbol, 0.1) for symbol in density.symbols]
    return float(density(np.array([x]))[0])


def frozen_groups(spec: ModelSpec) -> list[Problem]:
    """Return two groups; those of models that share more than a mean share their constants."""
    groups = [frozen_problem(spec), frozen_problem(spec, 18, 0.8)]
    if spec.pooling == "partial" and spec.discrepancy is None:
        return groups
    shared = pooled_constants(spec, [(group.inputs, group.log_loss) for group in groups])
    levels = [{"dataset": "a", "architecture": arm} for arm in ("x", "y")]
    return [
        replace(group, constants=constants, levels=level)
        for group, constants, level in zip(groups, shared, levels, strict=True)
    ]


def _pooled_log_density(spec: ModelSpec) -> float:
    model = build_model(frozen_groups(spec))
    shapes = model.initial_point(random_seed=0)
    point = {}
    levels = np.array([group.constants.level for group in frozen_groups(spec)])
    first = {load_law(spec.law).symbols[0]: levels}
    for rv in model.free_RVs:
        part, _, symbol = rv.name.partition("_")
        at = {"mu": AT.get(symbol, 0.1), "spread": -1.6, "offset": 0.3, **AT, **first}
        value = np.asarray(at.get(rv.name, at.get(part, 0.1)), float)
        name = model.rvs_to_values[rv].name
        point[name] = value + np.zeros_like(shapes[name])
    mode = Mode(linker="py", optimizer="fast_compile")
    # Term by term: without machine code PyTensor adds at most 31 of them.
    return float(sum(term.sum() for term in model.compile_logp(mode=mode, sum=False)(point)))


def pins() -> dict[str, float]:
    return json.loads(PINS.read_text(encoding="utf-8")) if PINS.exists() else {}


@pytest.mark.parametrize("name", list_models())
def test_log_density_has_not_moved(name):
    assert name in pins(), f"run python tests/models/test_frozen.py to pin model {name!r}"
    assert log_density(load_model(name)) == pytest.approx(pins()[name], rel=1e-9, abs=1e-6), (
        f"model {name!r} changed its log density: give the new one a new name"
    )


def test_no_pin_is_left_of_a_model_that_is_gone():
    assert set(pins()) <= set(list_models())


def _changes(spec: ModelSpec) -> dict[str, ModelSpec]:
    """Return the model with each of its numbers moved a little."""
    alpha = spec.priors["alpha"]
    moved = Prior(alpha.distribution, {**alpha.arguments, "sigma": 0.41})
    changed = {
        "prior": replace(spec, priors={**spec.priors, "alpha": moved}),
        "floor": replace(spec, noise=replace(spec.noise, floor=0.0005)),
        "trunks": replace(spec, noise=replace(spec.noise, trunk_correlation=0.45)),
        "reference": replace(spec, reference=dict.fromkeys(load_law(spec.law).inputs, 1e9)),
    }
    if spec.discrepancy is not None:
        parts = {"length": 3.4, "rho": 0.18, "rho_tokens": 0.1, "rho_ratio": 0.1}
        for part, value in parts.items():
            shape = replace(spec.discrepancy, **{part: value})
            changed[part] = replace(spec, discrepancy=shape)
    if spec.pools:
        narrow = Prior("HalfNormal", {"sigma": 0.21})
        changed["spread"] = replace(spec, spreads={**(spec.spreads or {}), "alpha": narrow})
    return changed


@pytest.mark.parametrize(
    "name",
    [
        "coupled_gp_weak",
        pytest.param("chinchilla_plain_weak_partial", marks=pytest.mark.slow),
    ],
)
def test_every_number_of_a_model_file_moves_the_pin(name):
    for number, spec in _changes(load_model(name)).items():
        assert log_density(spec) != pytest.approx(pins()[name], abs=1e-4), number


def main() -> None:
    """Pin the models that have no pin yet."""
    old = pins()
    new = {name: log_density(load_model(name)) for name in list_models() if name not in old}
    text = json.dumps({**old, **new}, indent=2, sort_keys=True)
    PINS.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{PINS}: {len(old)} pins kept, {len(new)} added\n")


if __name__ == "__main__":
    main()
