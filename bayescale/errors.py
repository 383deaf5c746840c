"""Errors and warnings of bayescale: each says what was found and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


class BayescaleError(Exception):
    """Base of every error raised on purpose by bayescale.

    Parameters
    ----------
    message : str
        The object, the column, the rows, the value found and what was expected.
    hint : str, optional
        What to do next.
    at : mapping, optional
        The same for a program, where it is known: ``table``, ``column``, ``rows``, ``argument``...
    """

    def __init__(self, message: str, hint: str = "", at: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.at = dict(at or {})

    def __reduce__(self) -> tuple[Any, ...]:
        """Let workers hand on errors whose constructors take other arguments."""
        return _again, (type(self), self.message, self.__dict__)

    def __str__(self) -> str:
        """Return the message followed by the hint on one line."""
        return f"{self.message} {self.hint}".strip()


def _again(kind: type[BayescaleError], message: str, held: Mapping[str, Any]) -> BayescaleError:
    made = kind.__new__(kind, message)
    made.__dict__.update(held)
    return made


class RunsTableError(BayescaleError):
    """A runs table that cannot be read, validated or used for the question asked."""


class NothingLoggedError(RunsTableError):
    """A log that is not there, or in which no run has logged anything yet."""


class LawError(BayescaleError):
    """A law that is badly defined, or evaluated on inputs it does not take."""


class ModelError(BayescaleError):
    """A model file, prior or pooling that cannot be used."""


class InferenceError(BayescaleError):
    """A fit that cannot be made, or a posterior that cannot be read."""


class ForecastError(BayescaleError):
    """Forecast points that cannot be used."""


class DecisionError(BayescaleError):
    """A plan or scenario that cannot be used."""


class HarnessError(BayescaleError):
    """A training configuration, corpus, record or checkpoint that cannot be used."""


class UnknownNameError(BayescaleError):
    """A name nobody registered.

    Parameters
    ----------
    kind : str
        What the name should have named: ``"law"``, ``"model"``, ``"column"``...
    name : str
        The name found.
    known : iterable of str
        Every name that would have been accepted.
    where : str, optional
        The object in which the name was found.
    meant : str, optional
        The known name of what it names elsewhere; the nearest in letters by default.
    """

    def __init__(
        self, kind: str, name: str, known: Iterable[str], where: str = "", meant: str = ""
    ) -> None:
        known = sorted(known)
        super().__init__(
            f"{where + ': ' if where else ''}unknown {kind} {name!r}.",
            nearest(meant or name, known),
            {"what": kind, "name": name},
        )


class BayescaleWarning(UserWarning):
    """Base of every warning category of bayescale."""


class ConvergenceWarning(BayescaleWarning):
    """An inference whose diagnostics (R-hat, ESS, khat, divergences) miss their gates."""


class ExtrapolationWarning(BayescaleWarning):
    """A forecast so far from the fitted runs that its interval rests on the prior."""


class PoolingWarning(BayescaleWarning):
    """Groups that were fitted otherwise than a reader of the call might expect."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint with the nearest known name and the whole list.

    Parameters
    ----------
    name : str
        The name found.
    known : iterable of str
        The names that exist.

    Returns
    -------
    str
        ``Did you mean ...? Known: ...`` or just the list when nothing is near.
    """
    known = list(known)
    # What was found may be no text at all.
    close = difflib.get_close_matches(str(name), known, n=1)
    start = f"Did you mean {close[0]!r}? " if close else ""
    return f"{start}Known: {', '.join(known) if known else '(none)'}."
