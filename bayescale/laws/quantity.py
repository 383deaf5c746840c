"""The columns that laws read and predict: unit, support, and how a value enters a formula."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from bayescale.errors import LawError, UnknownNameError
from bayescale.runs import schema

Support = Literal["positive", "unit", "real"]
Domain = Literal["positive", "nonnegative", "unit", "real"]

_EXPECTED: dict[str, str] = {
    "positive": "a positive number",
    "nonnegative": "zero or a positive number",
    "unit": "a number from 0 to 1",
    "real": "a finite number",
}

_TYPICAL: dict[str, tuple[float, float]] = {
    schema.N_PARAMS: (1e7, 1e10),
    schema.N_PARAMS_NONEMBEDDING: (1e7, 1e10),
    schema.N_PARAMS_ACTIVE: (1e7, 1e10),
    schema.N_EXPERTS: (2.0, 256.0),
    schema.N_TOKENS: (1e9, 1e12),
    schema.N_TOKENS_UNIQUE: (1e9, 1e11),
    schema.FLOPS: (1e18, 1e23),
    schema.STEP: (1e3, 1e5),
    schema.BATCH_TOKENS: (1e5, 1e7),
    schema.LEARNING_RATE: (1e-4, 1e-2),
    schema.LOSS: (2.0, 4.0),
}


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A column that a law reads or predicts.

    Parameters
    ----------
    name : str
        Column of the runs table.
    unit : str
        Unit of its values; ``"1"`` when there is none.
    meaning : str
        One line for a reader.
    domain : {"positive", "nonnegative", "unit", "real"}
        Values that make sense: ``unit`` is 0 to 1, ends included in an input and left out in an
        output. An output lives on a support, which has no ``nonnegative``.
    enters : {"ratio", "plain"}
        Whether an input reaches the formula divided by its reference, which needs positive values,
        or as it is: for what may be zero, a share, or a count of alternatives.
    typical : tuple of float
        Smallest and largest value that a study would hold: for plots and simulated tables.
    may_be_constant : bool
        Whether a table with a single value of it still tells the coefficients.
    shares : str
        Another input whose reference it is divided by, so that the two compare: distinct tokens
        by the reference of tokens seen.
    """

    name: str
    unit: str
    meaning: str
    domain: Domain = "positive"
    enters: Literal["ratio", "plain"] = "ratio"
    typical: tuple[float, float]
    may_be_constant: bool = False
    shares: str = ""

    def __post_init__(self) -> None:
        """Check that the words are known and the range is one."""
        for word, found, allowed in (
            ("domain", self.domain, _EXPECTED),
            ("enters", self.enters, ("ratio", "plain")),
        ):
            if found not in allowed:
                raise UnknownNameError(word, str(found), allowed, f"column {self.name!r}")
        numbers = [v for v in self.typical if isinstance(v, int | float)]
        if len(self.typical) != 2 or len(numbers) != 2 or not numbers[0] < numbers[1]:
            raise LawError(
                f"column {self.name!r}: typical is {self.typical!r}, expected a smaller and a"
                " larger number.",
                "YAML reads 1.0e+9 as a number and 1e9 as text.",
            )

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        return _EXPECTED[self.domain]

    def wrong(self, values: Any, *, open_ends: bool = False) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return where values lie outside the domain, NaN and infinite ones included.

        Parameters
        ----------
        values : array of float
            Values of the column.
        open_ends : bool
            Whether 0 and 1 lie outside ``unit``: an output's logit must be finite.
        """
        values = np.asarray(values, dtype=float)
        with np.errstate(invalid="ignore"):
            outside = {
                "positive": values <= 0.0,
                "nonnegative": values < 0.0,
                "unit": (values <= 0.0) | (values >= 1.0)
                if open_ends
                else (values < 0.0) | (values > 1.0),
                "real": np.zeros(values.shape, dtype=bool),
            }[self.domain]
        return np.asarray(outside | ~np.isfinite(values))


@cache
def known(name: str) -> Quantity | None:
    """Return what the schema says of a column of positive numbers; None for any other column."""
    column = schema.BY_NAME.get(name)
    if column is None or column.kind not in ("count", "positive", "rate") or name not in _TYPICAL:
        return None
    return Quantity(name=name, unit=column.unit, meaning=column.meaning, typical=_TYPICAL[name])
