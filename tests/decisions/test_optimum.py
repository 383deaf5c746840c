"""The numeric optimum against the closed form of the additive law, with published coefficients."""

from __future__ import annotations

import numpy as np
import pytest

from bayescale.decisions.optimum import LossAtCompute, best_by_draw, best_on_average
from bayescale.laws import load_law
from bayescale.models.problem import Constants

REFERENCE = {"n_params": 1e9, "n_tokens": 2e10}
CONSTANTS = Constants(reference=REFERENCE, level=0.0, log_compute_max=0.0)
CHINCHILLA = load_law("chinchilla")


def at_compute(flops: float, *textbooks: dict[str, float]) -> LossAtCompute:
    sampled = [CHINCHILLA.from_textbook(textbook, REFERENCE) for textbook in textbooks]
    columns = {symbol: np.array([one[symbol] for one in sampled]) for symbol in sampled[0]}
    return LossAtCompute(CHINCHILLA, columns, CONSTANTS, flops)


def closed_form(t: dict[str, float], flops: float) -> float:
    total = t["alpha"] + t["beta"]
    scale = (t["alpha"] * t["A"] / (t["beta"] * t["B"])) ** (1 / total)
    return float(scale * (flops / 6) ** (t["beta"] / total))


@pytest.mark.parametrize("flops", [1e18, 5.76e23, 1e26])
def test_published_optima_are_reproduced(flops: float) -> None:
    textbooks = [dict(p.textbook) for p in CHINCHILLA.published]
    log_n, at_end = best_by_draw(at_compute(flops, *textbooks))
    assert np.exp(log_n) == pytest.approx([closed_form(t, flops) for t in textbooks], rel=1e-6)
    assert not at_end.any()


def test_besiroglu_trains_chinchilla_on_twenty_tokens_a_parameter() -> None:
    refit = dict(CHINCHILLA.published[1].textbook)
    log_n, _ = best_by_draw(at_compute(5.76e23, refit))
    n = float(np.exp(log_n[0]))
    assert 5.76e23 / 6 / n**2 == pytest.approx(20, rel=0.15)


def test_one_draw_is_its_own_average() -> None:
    loss = at_compute(1e21, dict(CHINCHILLA.published[1].textbook))
    assert best_on_average(loss) == pytest.approx(best_by_draw(loss)[0][0], abs=1e-6)


def test_the_average_lies_between_its_draws() -> None:
    loss = at_compute(1e24, *(dict(p.textbook) for p in CHINCHILLA.published))
    by_draw = best_by_draw(loss)[0]
    assert by_draw.min() < best_on_average(loss) < by_draw.max()


def test_a_law_without_an_optimum_ends_at_the_end() -> None:
    one_sided = {"E": 1.5, "A": 400.0, "B": 1e-9, "alpha": 0.3, "beta": 0.3}
    assert best_by_draw(at_compute(1e21, one_sided))[1].all()
