"""The last octave of curves is forecast with the right probabilities when the model is true.

Coefficients, drift and noise of each curve come from the prior of its law's model, in strata; all
but the last octave is fitted. The probability that the forecast gives to what lies below the last
measurement must be uniform over curves: by a simultaneous band of its distribution, Bonferroni over
laws, which a right sampler leaves at most one time in a hundred. Why strata: `benchmarks/NOTES.md`.
"""

from __future__ import annotations

import numpy as np
import pytest

from bayescale.forecasts.curve_forecast import forecast_curve
from bayescale.inference.curves import fit_curves
from bayescale.runs.curves import Curve, Curves
from tests.calibration.ecdf_bands import departure, limit
from tests.simulated_curves import drifting_curves

pytestmark = pytest.mark.calibration

FALSE_ALARM = 0.01
CURVES = 100
LAWS = ("learning_curve_m3", "learning_curve_m4")


def probability(law: str, fitted: Curve, whole: Curve) -> float:
    """Return how probable the forecast took an end below that of one simulated curve."""
    posterior = fit_curves(Curves("simulated", "step", "loss", (fitted,), ("run_id",)), law)
    forecast = forecast_curve(posterior, whole.at[-1], run=fitted.run)
    return float(forecast.prob_below(whole.output[-1])[0])


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.filterwarnings("ignore:importance weights miss")
def test_the_last_octave_is_forecast_with_the_right_probabilities(law: str):
    found = np.array([probability(law, *parts) for parts in drifting_curves(law, CURVES, seed=0)])
    assert departure(found) > limit(CURVES, FALSE_ALARM / len(LAWS))
