"""The first screen: the verdict, the one number, the one picture, and what would change it."""

from __future__ import annotations

import math

from bayescale.decisions.decision import Decision
from bayescale.decisions.weigh import best_pilot
from bayescale.reports import numbers as n
from bayescale.reports import pictures, sentences
from bayescale.reports.content import Change, Figure, Opening
from bayescale.reports.gathered import Gathered

LIVE = sentences.LIVE


def opening(made: Gathered) -> Opening:
    """Return the first screen of a report.

    Parameters
    ----------
    made : Gathered
        What the report shows.
    """
    if made.decision is None:
        return _forecast(made)
    decision, best = made.decision, made.decision.outcome
    target = decision.scenario.target
    return Opening(
        title=decision.scenario.title,
        basis=sentences.basis(made.posterior),
        verdict=decision.verdict,
        tone=sentences.TONES[decision.verdict],
        sentence=sentences.verdict(decision),
        figures=(
            Figure("chance", n.percent(best.prob_target), sentences.chance(best, target)),
            Figure("loss", n.loss(best.loss_median), sentences.predicted(*best.loss_interval_90)),
            Figure(
                "net",
                n.money(best.expected_net_value_usd),
                sentences.worth(best, decision.scenario.value_usd),
            ),
        ),
        picture=pictures.extrapolation(made),
        changes=changes(decision),
        note=sentences.reliability(made.main, made.point),
    )


def _forecast(made: Gathered) -> Opening:
    low, high = made.main.interval(0.9)[made.point].tolist()
    median = n.loss(float(made.main.median[made.point]))
    return Opening(
        title=sentences.title(made.posterior),
        basis=sentences.basis(made.posterior),
        verdict=sentences.FORECAST_ONLY,
        tone=sentences.TONES[sentences.FORECAST_ONLY],
        sentence=sentences.forecast_line(made.main, made.point),
        figures=(
            Figure("loss", median, sentences.predicted(low, high)),
            Figure("reach", sentences.reach(made.main, made.point), sentences.REACH),
        ),
        picture=pictures.extrapolation(made),
        note=sentences.reliability(made.main, made.point),
    )


def changes(decision: Decision) -> tuple[Change, ...]:
    """Return what would change the verdict, in the order of the sliders.

    Parameters
    ----------
    decision : Decision
        The verdict.
    """
    best, plan = decision.outcome, decision.scenario
    turns = {assumption.name: assumption.flips_at for assumption in decision.assumptions}
    value = turns.get("value.usd", best.break_even_value_usd)
    worth = None if value is None or not math.isfinite(value) else n.usd(value)
    price, target = turns.get("price.usd_per_gpu_hour"), turns.get("target.loss")
    level = sentences.loss_or_error(plan.target)
    found = (
        ("target", sentences.wanted(plan.target), target and level.format(at=n.loss(target))),
        ("value", n.usd(plan.value_usd), worth),
        ("price", n.usd(plan.price.usd_per_gpu_hour), price and n.usd(price)),
    )
    return (
        *(_change(key, stated, name=best.name, at=at) for key, stated, at in found),
        _budget(decision),
        _pilots(decision),
    )


def _change(key: str, stated: str, at: object, **names: str) -> Change:
    words = LIVE[f"{key} turns"] if at else LIVE[f"{key} never"]
    return Change(key, LIVE[key].format(**names), stated, words.format(at=at, **names))


def _budget(decision: Decision) -> Change:
    found, best = decision.budget, decision.outcome
    names = {"chosen": best.name, "probability": n.percent(decision.scenario.target.probability)}
    factor = None if found is None else found.factor
    if factor is not None:
        names |= {"cost": n.usd(best.cost_usd * factor), "times": n.times(factor)}
    return _change(
        "scale", n.usd(best.cost_usd), None if factor is None else n.times(factor), **names
    )


def _pilots(decision: Decision) -> Change:
    names, pilots = {"perfect": n.usd(decision.evpi_usd)}, decision.every_pilot
    if not pilots:
        return _change("pilots", n.NONE, None, **names)
    best = best_pilot(pilots)
    names |= {"pilot": best.name, "cost": n.usd(best.cost_usd), "worth": n.usd(best.evsi_usd)}
    return _change("pilots", n.usd(best.net_gain_usd), best.name, **names)
