"""The choice: everything that sets several arms apart, in one object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayescale.decisions import choice_sentences as sentences
from bayescale.decisions.arms import written
from bayescale.decisions.contrast import Contrast
from bayescale.decisions.crossing import Crossing
from bayescale.decisions.multiplier import Multiplier
from bayescale.decisions.ranking import Ranking

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Choice:
    """Which of several arms is best at a point, by how much, and how sure that is.

    Parameters
    ----------
    ranking : Ranking
        The arms: the probably best, then the others by their expected loss.
    multipliers : tuple of Multiplier
        The best arm over each other one, in compute and in tokens.
    crossings : tuple of Crossing
        Where the best arm and each other one cross.
    contrasts : tuple of Contrast
        Coefficients of the best arm's levels minus those of others, factor by factor.
    caveats : tuple of str
        Sentences with what could make it wrong, and which levels the runs cannot tell apart.
    """

    ranking: Ranking
    multipliers: tuple[Multiplier, ...]
    crossings: tuple[Crossing, ...]
    contrasts: tuple[Contrast, ...]
    caveats: tuple[str, ...]

    def __repr__(self) -> str:
        """Return one line: the best arm and its probability."""
        return (
            f"Choice of {len(self.ranking.arms)} arms: {written(self.ranking.arms[0])} with"
            f" P(best) {self.ranking.prob_best[0]:.2f}; {len(self.multipliers)} multiplier(s),"
            f" {len(self.crossings)} crossing(s), {len(self.contrasts)} contrast(s)"
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a reader should take away: the best arm, and what it is worth."""
        best, second, *_ = (written(arm) for arm in self.ranking.arms)
        losses = (float(self.ranking.median[0]), float(self.ranking.median[1]))
        said = [sentences.best(best, float(self.ranking.prob_best[0]), second, losses)]
        for found in self.multipliers:
            low, high = found.interval()[0]
            factors = [sentences.number(float(x)) for x in (found.median[0], low, high)]
            said.append(
                sentences.worth(written(found.of), written(found.over), found.along, factors)
            )
        return tuple(said)

    def worth_frame(self) -> pd.DataFrame:
        """Return one row for each arm but the best: what the best is worth beside it.

        Columns named after compute and tokens say how many times as much the arm needs to match
        the best one: median and central 90 % interval, infinite where it never does. Then follows
        where the two cross along compute, among the draws in which they do, and the probability
        that they do not.
        """
        import pandas as pd

        rows: dict[str, dict[str, Any]] = {}
        for found in self.multipliers:
            low, high = found.interval()[0]
            row = rows.setdefault(written(found.over), {"over": written(found.over)})
            name = found.along.removeprefix("n_")
            row |= {name: found.median[0], f"{name}_q05": low, f"{name}_q95": high}
        for crossing in self.crossings:
            low, high = crossing.interval()
            row = rows.setdefault(written(crossing.over), {"over": written(crossing.over)})
            row |= {"crossing": crossing.median, "crossing_q05": low, "crossing_q95": high}
            row["prob_no_crossing"] = crossing.prob_none
        return pd.DataFrame(list(rows.values()))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a contrast: coefficient, levels, difference, interval, P(direction)."""
        import pandas as pd

        rows = []
        for found in self.contrasts:
            low, high = found.interval()
            rows.append(
                {
                    "factor": found.factor,
                    "of": written(found.of),
                    "over": written(found.over),
                    "coefficient": found.coefficient,
                    "difference": found.median,
                    "q05": low,
                    "q95": high,
                    "prob_direction": found.prob_direction,
                }
            )
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the choice as plain data."""
        return {
            "ranking": self.ranking.to_dict(),
            "multipliers": [found.to_dict() for found in self.multipliers],
            "crossings": [found.to_dict() for found in self.crossings],
            "contrasts": [found.to_dict() for found in self.contrasts],
            "sentences": list(self.sentences),
            "caveats": list(self.caveats),
        }
