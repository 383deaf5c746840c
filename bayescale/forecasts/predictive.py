"""What a predictive distribution answers: quantiles, intervals and probabilities of an output."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bayescale.arguments import ARRAY, NUMBER, NUMBERS, check_arguments
from bayescale.errors import ForecastError
from bayescale.models.discrepancy import Floats

if TYPE_CHECKING:
    from bayescale.forecasts.mixture import Mixture
    from bayescale.laws import Law


class Predictive:
    """The answers of a mixture on a law's linked scale, in the units of its output.

    Attributes
    ----------
    mixture : Mixture
        Components at each of P points: log loss, for a law of loss.
    law : Law
        It says on which scale `mixture` is, and what its output may be.
    output : str
        What messages call the output.
    """

    if TYPE_CHECKING:

        @property
        def mixture(self) -> Mixture:
            """The distribution."""

        @property
        def law(self) -> Law:
            """The law."""

        @property
        def output(self) -> str:
            """The output's name."""

    def quantile(self, p: float | Sequence[float]) -> Floats:
        """Return outputs below which probabilities `p` lie, shape (P,) or (len(p), P).

        Raises
        ------
        ForecastError
            For a probability that is not between 0 and 1.
        """
        check_arguments("quantile", ForecastError, p=(p, NUMBERS))
        if not np.all((np.asarray(p) > 0) & (np.asarray(p) < 1)):
            raise ForecastError(f"quantile: p is {p!r}, expected between 0 and 1.")
        linked = self.mixture.quantile(np.atleast_1d(np.asarray(p, dtype=float)))
        values = self.law.inverse_link(linked)
        return np.asarray(values[0] if np.isscalar(p) else values)

    @cached_property
    def median(self) -> Floats:
        """Median output of each point, shape (P,)."""
        return self.quantile(0.5)

    def interval(self, ci_prob: float = 0.9) -> Floats:
        """Return central intervals of one new run's output.

        Parameters
        ----------
        ci_prob : float
            Probability inside.

        Returns
        -------
        array, shape (P, 2)
            Lower and upper ends, in the output's units.
        """
        return self.quantile(tails(ci_prob)).T

    def prob_below(self, loss: float | Floats) -> Floats:
        """Return the probability that a new run's output is at most `loss`, shape (P,)."""
        check_arguments("prob_below", ForecastError, loss=(loss, ARRAY))
        target = np.asarray(loss, dtype=float)
        quantity = self.law.quantity(self.law.output)
        if quantity.wrong(target, open_ends=True).any():
            raise ForecastError(
                f"prob_below: {self.output} is {loss!r}, but must be {quantity.expected}."
            )
        return self.mixture.cdf(self.law.link(target) * np.ones(self.mixture.mean.shape[1]))


def tails(ci_prob: float) -> tuple[float, float]:
    """Return the probabilities below the ends of a central interval.

    Raises
    ------
    ForecastError
        For a probability inside that is not between 0 and 1.
    """
    check_arguments("interval", ForecastError, ci_prob=(ci_prob, NUMBER))
    if not 0.0 < ci_prob < 1.0:
        raise ForecastError(f"interval: ci_prob is {ci_prob!r}, expected between 0 and 1.")
    return 0.5 - ci_prob / 2, 0.5 + ci_prob / 2
