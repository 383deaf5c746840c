"""The ranking: which of several arms has the lowest expected loss at a point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.decisions import choice_sentences as sentences
from bayescale.decisions.arms import Arm, Label, caveats_of, check_comparable, resolve, written
from bayescale.decisions.caveats import REVIEW_FACTOR
from bayescale.decisions.paired import tails
from bayescale.decisions.rays import expected_log_loss, scaled_names
from bayescale.errors import DecisionError
from bayescale.forecasts.points import make_points
from bayescale.inference.posterior import Posterior
from bayescale.inference.source import fitted
from bayescale.models.discrepancy import Floats

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """Joint posterior of the expected losses of several arms at one point.

    Parameters
    ----------
    arms : tuple of tuple of str
        Labels: the probably best first, then the others by their median loss.
    point : mapping of str to float
        The law's inputs.
    losses : array, shape (S, arms)
        Expected losses by draw, nats per token.
    extrapolation_factor : array, shape (arms,)
        Compute of the point over the largest fitted one of each arm.
    caveats : tuple of str
        Sentences with what could make it wrong.
    posterior_line : str
        The posterior it rests on, in one line.
    provenance : mapping of str to str
        That of the posterior.
    """

    arms: tuple[Label, ...]
    point: Mapping[str, float]
    losses: Floats
    extrapolation_factor: Floats
    caveats: tuple[str, ...]
    posterior_line: str
    provenance: Mapping[str, str]

    def __repr__(self) -> str:
        """Return one line: the arms with their probabilities of being best."""
        at = ", ".join(f"{name} {value:.3g}" for name, value in self.point.items())
        shares = zip(self.arms, self.prob_best, strict=True)
        listed = ", ".join(f"{written(arm)} {share:.2f}" for arm, share in shares)
        return f"Ranking at {at}: P(lowest expected loss) {listed}"

    @property
    def prob_best(self) -> Floats:
        """Probability that each arm has the lowest expected loss, shape (arms,)."""
        wins = np.bincount(self.losses.argmin(axis=1), minlength=len(self.arms))
        return np.asarray(wins / len(self.losses))

    @property
    def regret(self) -> Floats:
        """Mean of each arm's expected loss above the lowest, nats per token, shape (arms,)."""
        return np.asarray((self.losses - self.losses.min(axis=1, keepdims=True)).mean(axis=0))

    @property
    def median(self) -> Floats:
        """Median expected loss, shape (arms,)."""
        return np.median(self.losses, axis=0)

    def interval(self, ci_prob: float = 0.9) -> Floats:
        """Return central intervals of the expected losses, shape (arms, 2)."""
        return np.asarray(np.quantile(self.losses, tails(ci_prob), axis=0).T)

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm: loss with its 90 % interval, regret and P(best)."""
        import pandas as pd

        low, high = self.interval().T
        return pd.DataFrame(
            {
                "arm": [written(arm) for arm in self.arms],
                "loss": self.median,
                "q05": low,
                "q95": high,
                "regret": self.regret,
                "prob_best": self.prob_best,
                "extrapolation_factor": self.extrapolation_factor,
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the ranking as plain data."""
        return {
            "point": dict(self.point),
            "arms": self.to_frame().to_dict("records"),
            "caveats": list(self.caveats),
            "posterior_line": self.posterior_line,
            "provenance": dict(self.provenance),
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the expected losses with their probabilities of being the lowest."""
        from bayescale.plots.ranking import plot_ranking

        return plot_ranking(self, ax=ax)


def prob_best(
    posterior: Posterior, arms: Sequence[Arm] | None = None, *, seed: int = 0, **inputs: Any
) -> Ranking:
    """Return how probable it is that each arm has the lowest expected loss at a point.

    Parameters
    ----------
    posterior : Posterior
        A fit of the arms.
    arms : sequence, optional
        Labels, or levels that one group alone has. Default: every fitted group.
    seed : int
        Seed of the law's error, and of an arm without runs.
    **inputs : float
        The point by name: ``n_params=7e9, n_tokens=1.6e11``.

    Returns
    -------
    Ranking
        Joint draws of the expected losses: the probably best arm first, then by median loss.

    Raises
    ------
    DecisionError
        For fewer than two arms, or arms that cannot be compared.
    UnknownNameError
        For an arm that the fit does not have.
    ForecastError
        For a point that cannot be used.
    """
    what = "prob_best"
    posterior = fitted(posterior, seed=seed)
    scaled_names(posterior.law, posterior.law.inputs[0], what)
    posterior, labels = resolve(posterior, posterior.labels if arms is None else arms, what, seed)
    if len(labels) < 2:
        raise DecisionError(
            f"{what}: {len(labels)} arm was given ({', '.join(map(written, labels))}).",
            "Name two or more, or fit a table with more values of"
            f" {', '.join(posterior.group_columns)}.",
        )
    check_comparable(posterior, labels, what)
    point = {k: v[:1] for k, v in make_points(posterior, inputs, [labels[0]]).inputs.items()}
    drawn, made = expected_log_loss(posterior, [(label, point) for label in labels], seed)
    losses = np.exp(np.column_stack(drawn))
    order = _order(losses)
    reach = made.extrapolation_factor
    found = caveats_of(posterior, labels)
    found += [sentences.far(reach.max())] if reach.max() > REVIEW_FACTOR else []
    return Ranking(
        arms=tuple(labels[k] for k in order),
        point={name: float(values[0]) for name, values in point.items()},
        losses=losses[:, order],
        extrapolation_factor=reach[order],
        caveats=tuple(dict.fromkeys(found)),
        posterior_line=repr(posterior),
        provenance=dict(posterior.provenance),
    )


def _order(losses: Floats) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the arms as a reader takes them: the probably best, then the others by their loss.

    A wide arm that hardly ever wins is no runner-up of one that always comes close.
    """
    middle = np.median(losses, axis=0)
    wins = np.bincount(losses.argmin(axis=1), minlength=len(middle))
    best = np.lexsort((middle, -wins))[0]
    return np.lexsort((middle, np.arange(len(middle)) != best))
