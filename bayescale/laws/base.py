"""What a law is: a formula with declared inputs, coefficients and a citation, checked at birth."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from bayescale.errors import LawError
from bayescale.laws.ops import Array
from bayescale.laws.prior import Prior
from bayescale.registry import Registry

Support = Literal["positive", "unit", "real"]

LAWS: Registry[Law] = Registry("law", entry_point_group="bayescale.laws")


@dataclass(frozen=True, kw_only=True)
class Coefficient:
    """One coefficient of a law.

    Parameters
    ----------
    symbol : str
        Name in code, tables and plots.
    unit : str
        Unit; ``"1"`` when there is none.
    support : {"positive", "unit", "real"}
        Where it lives; sampled as its log, its logit, or itself.
    meaning : str
        One line for a reader.
    prior : Prior
        Default prior, on `support`, with its reason.
    """

    symbol: str
    unit: str
    support: Support
    meaning: str
    prior: Prior


@dataclass(frozen=True, kw_only=True)
class Published:
    """Textbook coefficients from a paper, and one prediction they are known to make.

    Parameters
    ----------
    source : str
        Citation key in ``references.bib``.
    textbook : mapping of str to float
        The numbers as printed.
    at : mapping of str to float
        A run, in units of the inputs.
    value : float
        What the paper's formula gives there, worked out by hand.
    """

    source: str
    textbook: Mapping[str, float]
    at: Mapping[str, float]
    value: float


class Law:
    """A scaling law: subclass it, declare the facts, write `evaluate` once.

    A subclass that has a ``name`` is checked and registered as soon as it is defined.

    Attributes
    ----------
    name : str
        What model files and the command line call it.
    inputs : tuple of str
        Columns of the runs table it reads; each reaches `evaluate` divided by its reference.
    output : str
        Column it predicts; the likelihood is on its logarithm.
    coefficients : tuple of Coefficient
        In the order in which they are sampled.
    citation : tuple of str
        Keys in ``references.bib``.
    published : tuple of Published
        Printed coefficients and a prediction each reproduces.
    derived : mapping of str to str
        Textbook quantities that may carry a prior, each with the coefficient whose prior it
        replaces: the quantity must be that coefficient times the first coefficient.
    """

    name: ClassVar[str] = ""
    inputs: ClassVar[tuple[str, ...]] = ()
    output: ClassVar[str] = "loss"
    coefficients: ClassVar[tuple[Coefficient, ...]] = ()
    citation: ClassVar[tuple[str, ...]] = ()
    published: ClassVar[tuple[Published, ...]] = ()
    derived: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Check the subclass and register it under its name."""
        super().__init_subclass__(**kwargs)
        if "name" in cls.__dict__:
            check_law(cls)
            LAWS.register(cls.name, cls())

    def __repr__(self) -> str:
        """Return one line: the law, its inputs and its coefficients."""
        symbols = ", ".join(self.symbols)
        return f"Law {self.name}: {self.output}({', '.join(self.inputs)}; {symbols})"

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols of the coefficients, in the order in which they are sampled."""
        return tuple(coefficient.symbol for coefficient in self.coefficients)

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the law's output.

        Parameters
        ----------
        inputs : mapping of str to array
            Each input divided by its reference, positive.
        coefficients : mapping of str to array
            By symbol, inside their supports; arrays broadcast against the inputs.

        Returns
        -------
        array
            Output in its unit (nats per token for a loss).
        """
        raise NotImplementedError

    def textbook(
        self, coefficients: Mapping[str, Array], reference: Mapping[str, float]
    ) -> dict[str, Array]:
        """Return the coefficients as the literature writes them, for inputs in their own units."""
        return dict(coefficients)

    def from_textbook(
        self, textbook: Mapping[str, float], reference: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the sampled coefficients for textbook ones: the inverse of `textbook`."""
        return dict(textbook)


@dataclass(frozen=True)
class _Fault:
    law: str
    faults: list[str] = field(default_factory=list)

    def unless(self, holds: bool, sentence: str) -> None:
        if not holds:
            self.faults.append(sentence)


def check_law(cls: type[Law]) -> None:
    """Raise a LawError that lists everything wrong with a law's declaration.

    Parameters
    ----------
    cls : type
        A subclass of Law.

    Raises
    ------
    LawError
        With one sentence per fault.
    """
    found = _Fault(cls.__name__)
    symbols = [coefficient.symbol for coefficient in cls.coefficients]
    found.unless(bool(cls.name.isidentifier()), f"name {cls.name!r} is not an identifier")
    found.unless(bool(cls.inputs), "inputs is empty")
    found.unless(bool(cls.coefficients), "coefficients is empty")
    found.unless(len(set(symbols)) == len(symbols), f"coefficients repeat a symbol: {symbols}")
    found.unless(bool(cls.citation), "citation is empty")
    for coefficient in cls.coefficients:
        found.unless(
            coefficient.prior.support == coefficient.support,
            f"prior of {coefficient.symbol} lives on {coefficient.prior.support!r},"
            f" the coefficient on {coefficient.support!r}",
        )
        found.unless(bool(coefficient.prior.reason), f"prior of {coefficient.symbol} has no reason")
    for quantity, symbol in cls.derived.items():
        found.unless(symbol in symbols, f"derived {quantity} names unknown coefficient {symbol!r}")
    arguments = tuple(inspect.signature(cls.evaluate).parameters)
    found.unless(
        cls.evaluate is not Law.evaluate and arguments == ("self", "inputs", "coefficients"),
        f"evaluate takes {arguments}, expected (self, inputs, coefficients)",
    )
    if found.faults:
        raise LawError(f"law class {found.law}: " + "; ".join(found.faults) + ".")
