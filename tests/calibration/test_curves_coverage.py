"""The last octave of curves is forecast with the right probabilities when the model is true.

Coefficients, drift and noise of each curve come from the prior of its law's model, in strata; all
but the last octave is fitted. The probability that the forecast gives to what lies below the last
measurement must be uniform over curves: by a simultaneous band of its distribution, Bonferroni over
laws, which a right sampler leaves at most one time in a hundred. Why strata: `benchmarks/NOTES.md`.
The same of one curve of every group of three siblings, and of one of every two families of two
under nested pooling, once in a hundred each.
"""

from __future__ import annotations

import numpy as np
import pytest

from bayescale.forecasts.curve_forecast import forecast_curve
from bayescale.inference.curves import fit_curves
from bayescale.models.curve_model import CurvePooling, curve_model
from bayescale.runs.curves import Curve, Curves
from tests.calibration.ecdf_bands import departure, limit
from tests.simulated_curves import EDGE, drifting_curves, drifting_groups

pytestmark = pytest.mark.calibration

FALSE_ALARM = 0.01
CURVES = 100
GROUPS, SIBLINGS = 60, 3
LAWS = ("learning_curve_m3", "learning_curve_m4")


def probability(
    law: str, fitted: tuple[Curve, ...], whole: Curve, pooling: CurvePooling | None = None
) -> float:
    """Return how probable the forecast took an end below that of one simulated curve."""
    columns = ("dataset", "architecture")[: len(whole.group)]
    curves = Curves("simulated", "step", "loss", fitted, columns)
    posterior = fit_curves(curves, law, pooling=pooling)
    forecast = forecast_curve(posterior, whole.at[-1], run=whole.run)
    return float(forecast.prob_below(whole.output[-1])[0])


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.filterwarnings("ignore:importance weights miss")
def test_the_last_octave_is_forecast_with_the_right_probabilities(law: str):
    curves = drifting_curves(law, CURVES, seed=0)
    found = np.array([probability(law, (fitted,), whole) for fitted, whole in curves])
    assert departure(found) > limit(CURVES, FALSE_ALARM / len(LAWS))


def test_the_last_octave_of_siblings_is_forecast_with_the_right_probabilities():
    law = "learning_curve_m3"
    found = []
    for group in drifting_groups(curve_model(law, "partial"), SIBLINGS, GROUPS, seed=0, n=24):
        every = [whole for _, whole in group]
        found.append(probability(law, tuple(whole.until(EDGE) for whole in every), every[0]))
    assert departure(np.array(found)) > limit(GROUPS, FALSE_ALARM)


def test_the_last_octave_of_families_is_forecast_with_the_right_probabilities():
    law, found = "learning_curve_m3", []
    model = curve_model(law, "nested")
    for group in drifting_groups(model, 4, GROUPS, seed=0, n=16, families="xxyy"):
        every = [whole for _, whole in group]
        fitted = tuple(whole.until(EDGE) for whole in every)
        found.append(probability(law, fitted, every[0], "nested"))
    assert departure(np.array(found)) > limit(GROUPS, FALSE_ALARM)
