"""Fit the vision curves of one run and data set together, as `fit_curves` does not.

BAYESCALE_PUBLIC_DATA=<folder of public tables> python benchmarks/curve_siblings.py [--hidden]

The 72 curves of vision are 24 groups of three: one network's errors on one data set after 5, 10 and
25 examples a class. `together`: coefficients of M3 and M4 that are alike within a group, and a
share of the drift in common; `alone`: the model of the library. Both with the wider prior of the
exponent that is named below. By default the last octave of each fitted part is predicted from what
comes before; `--hidden` predicts the published hidden parts. Means over curves.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from curves import averaged, kept, public, split

import bayescale as bs
from bayescale.forecasts.curve_predict import _Conditional, _Points
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.scores import score_points
from bayescale.inference.curve_posterior import CurveFit
from bayescale.inference.importance import importance_sample
from bayescale.laws import Law, Prior, load_law
from bayescale.laws.base import Coefficient
from bayescale.laws.ops import Array, exp, logit, sigmoid
from bayescale.laws.quantity import Quantity
from bayescale.laws.sequence import SequenceLaw
from bayescale.models.curve_model import curve_model
from bayescale.models.curve_problem import curve_problem
from bayescale.models.density import Density
from bayescale.models.drift import Places

MEMBERS = 3
COMMON = 0.7
"""Share of the drift's variance that a group has in common; .9 is worse."""

EXPONENT = Prior("LogNormal", {"mu": -0.7, "sigma": 0.7}, "errors of vision fall by .2 to 1.6")
OWN = {
    "learning_curve_m3": {"loss_ref": 0.5, "c": 0.2},
    "learning_curve_m4": {"loss_ref": 0.5, "headroom": 0.4},
}
"""Standard deviations of what is a curve's own, on sampling coordinates."""

Group = list[tuple[bs.Curve, bs.Curve]]
Floats = np.ndarray


def together(name: str) -> Law:
    """Return a law of several curves, each with what is its own beside what they share."""
    base, own = load_law(name), OWN[name]
    shifts = tuple(
        Coefficient(
            symbol=f"{symbol}_{member}",
            unit="1",
            support="real",
            meaning=f"departure of curve {member} in {symbol}",
            prior=Prior("Normal", {"mu": 0.0, "sigma": sd}, "curves of one group are alike"),
        )
        for symbol, sd in own.items()
        for member in range(1 if symbol == "loss_ref" else 0, MEMBERS)
    )

    class Together(SequenceLaw):
        name = f"{base.name}_together"
        inputs = ("n_tokens", "member")
        columns = (
            Quantity(
                name="member",
                unit="1",
                meaning="which curve",
                domain="real",
                enters="plain",
                typical=(0.0, 2.0),
            ),
        )
        coefficients = (*base.coefficients, *shifts)
        citation = base.citation

        def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
            """Return the error."""
            loss: Array = 0.0
            for member in range(MEMBERS):
                mine = inputs["member"] == member
                at = {base.inputs[0]: np.where(mine, inputs["n_tokens"], 1.0)}
                loss = loss + mine * base.evaluate(at, _of(base, coefficients, member))
            return loss

    return load_law(Together.name)


def _of(base: Law, coefficients: Mapping[str, Array], member: int) -> dict[str, Array]:
    """Return the coefficients of one curve."""
    found = {}
    for coefficient in base.coefficients:
        value = coefficients[coefficient.symbol]
        shift = coefficients.get(f"{coefficient.symbol}_{member}", 0.0)
        positive = coefficient.support == "positive"
        found[coefficient.symbol] = (
            value * exp(shift) if positive else sigmoid(logit(value) + shift)
        )
    return found


def fitted(law: Law, group: Group, *, common: float) -> CurveFit:
    """Fit the curves of a group under one law."""
    spec, drift = curve_model(law, shared=False)
    spec = replace(spec, priors={**spec.priors, "c": EXPONENT})
    problem = curve_problem(spec, replace(drift, common=common), [early for early, _ in group])
    if "member" in law.inputs:
        member = problem.places.run.astype(float)
        problem = replace(problem, inputs={**problem.inputs, "member": member})
    found = importance_sample(problem, 0)
    x = found.resample(500, np.random.default_rng(0))
    return CurveFit(problem=problem, x=x, khat=found.khat, ess=found.ess, trusted=True)


def predicted(fit: CurveFit, member: int, at: Floats) -> tuple[Floats, Floats]:
    """Return means and variances of single measurements of one curve, (S, m)."""
    problem, curve = fit.problem, _Conditional(Density(fit.problem), fit.x)
    run, x = np.full(len(at), member), at / problem.constants.reference["at"]
    inputs = {"n_tokens": x, "member": run.astype(float)}
    read = {name: inputs[name] for name in problem.law.inputs}
    points = _Points(problem, Places(np.log(x), run, np.zeros(len(at))), read, at)
    mean = curve.mean(points)
    return mean, curve.variance(points, None) + curve.noise * problem.noise_scale(mean)


def scored(parts: list[tuple[Floats, Floats]], hidden: bs.Curve) -> dict[str, float]:
    """Return the scores of one curve's points under laws pooled with equal weights."""
    means, variances = (np.concatenate(each) for each in zip(*parts, strict=True))
    mixture = Mixture(means, np.maximum(variances, 1e-12))
    error = mixture.quantile(np.array([0.5]))[0] - np.log(hidden.output)
    scores = score_points(mixture, np.log(hidden.output))
    rmsle = float(np.sqrt(np.mean(error**2)))
    return {"rmsle": rmsle, **{name: float(values.mean()) for name, values in scores.items()}}


def groups(hidden: bool) -> dict[tuple[str, str], Group]:
    """Return what is fitted and what is predicted of each curve, by data set and network."""
    frame = public("revisiting").rename(columns={"tokens": "n_tokens"})
    frame = frame[frame["domain"] == "IC"]
    test = frame[frame["split"] == "test"]
    keys = set(zip(test["run_id"], test["n_tokens"].astype(float), strict=True))
    made: dict[tuple[str, str], Group] = {}
    for shown, later in split(bs.read_curves(frame, along="n_tokens"), keys):
        _, task, network = shown.run.split("|")
        whole = averaged(shown)
        early = whole.at <= whole.at[-1] / 2.0
        pair = (whole, later) if hidden else (kept(whole, early), kept(whole, ~early))
        made.setdefault((task.rsplit("_", 1)[0], network), []).append(pair)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hidden", action="store_true", help="the published hidden parts")
    laws = {name: together(name) for name in OWN}
    rows: list[dict[str, Any]] = []
    for (task, _), group in groups(parser.parse_args().hidden).items():
        joint = [fitted(law, group, common=COMMON) for law in laws.values()]
        for member, (early, late) in enumerate(group):
            own = [fitted(load_law(name), [(early, late)], common=0.0) for name in laws]
            for way, fits, k in (("together", joint, member), ("alone", own, 0)):
                scores = scored([predicted(fit, k, late.at) for fit in fits], late)
                rows.append({"way": way, "task": task, **scores})
    table = pd.DataFrame(rows)[["way", "task", "rmsle", "crps", "coverage_90", "width_90"]]
    print(table.groupby(["task", "way"]).mean().round(4).to_string())
    print(table.drop(columns="task").groupby("way").mean().round(4).to_string())


if __name__ == "__main__":
    main()
