"""A running job against laws of whole curves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import bayescale as bs
from bayescale.errors import ForecastError
from bayescale.inference.curve_posterior import CurvePosterior
from bayescale.runs.curves import Curve, Curves
from tests.simulated_curves import STEPS, fitted_to_two, scheduled_curves


@pytest.fixture(scope="module")
def curves() -> Curves:
    return scheduled_curves()


@pytest.fixture(scope="module")
def posterior(curves: Curves) -> CurvePosterior:
    return fitted_to_two(curves)


@pytest.fixture
def job(curves: Curves, tmp_path: Path) -> Path:
    """The first half of the run under the schedule that no fitted run had."""
    path, wsd = tmp_path / "wsd.jsonl", curves["wsd"]
    rows = zip(wsd.at.tolist(), wsd.output.tolist(), strict=True)
    lines = [json.dumps({"step": s, "val_loss": v}) for s, v in rows if s <= STEPS / 2]
    path.write_text("\n".join(lines) + "\n")
    return path


def rates(curve: Curve) -> list[float]:
    assert curve.schedule is not None
    at = np.linspace(0.0, STEPS, 2001)
    found = np.searchsorted(curve.schedule.steps, at, side="right") - 1
    return np.where(found < 0, 0.0, curve.schedule.rates[found]).tolist()


def test_laws_of_curves_see_the_decay_that_is_to_come(
    posterior: CurvePosterior, curves: Curves, job: Path
) -> None:
    wsd = curves["wsd"]
    seen = bs.watch(job, posterior, n_steps=STEPS, schedule=rates(wsd), target=3.0)
    low, high = seen.interval(0.95)
    assert low < wsd.output[-1] < high
    assert high / low < 1.02
    assert seen.done == pytest.approx(0.5, abs=0.01)
    assert seen.place == "inside"
    assert seen.prob_target > 0.99
    assert not seen.stop


def test_a_saved_posterior_of_curves_is_known_as_one(
    posterior: CurvePosterior, curves: Curves, job: Path, tmp_path: Path
) -> None:
    saved = posterior.save(tmp_path / "curves.nc")
    options = {"n_steps": STEPS, "schedule": rates(curves["wsd"])}
    first, second = (bs.watch(job, against, **options) for against in (posterior, saved))
    assert second.median == pytest.approx(first.median)


def test_laws_that_read_a_learning_rate_ask_for_it(posterior: CurvePosterior, job: Path) -> None:
    for options in ({}, {"schedule": "wsd"}):
        with pytest.raises(ForecastError, match=r"read the learning rate.*schedule=\.\.\."):
            bs.watch(job, posterior, n_steps=STEPS, **options)
