"""What weighing a plan needs to know of its runs one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bayescale.models.discrepancy import Floats


class Outlook(Protocol):
    """What is known of a plan's runs before they are made."""

    @property
    def column(self) -> Mapping[str, int]:
        """Column of each run among joint draws, by its name."""

    @property
    def quantiles(self) -> Mapping[str, Floats]:
        """Losses of each candidate at `planned.LEVELS`."""

    @property
    def reached(self) -> Floats:
        """Probability that each run meets the target, by column."""

    def label(self, name: str) -> tuple[str, ...]:
        """Return the group of a run."""

    def factor(self, name: str) -> float:
        """Return the compute of a run over that of the largest fitted one."""
