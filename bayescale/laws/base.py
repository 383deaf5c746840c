"""What a law is: a formula with declared inputs, coefficients and a citation, checked at birth."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from bayescale.errors import LawError
from bayescale.laws.ops import Array, from_unconstrained, to_unconstrained
from bayescale.laws.prior import Prior
from bayescale.laws.quantity import Quantity, Support, known
from bayescale.registry import Registry
from bayescale.runs.schema import LOSS

LAWS: Registry[Law] = Registry("law", entry_point_group="bayescale.laws")

NOISE = Prior("LogNormal", {"mu": -5.0, "sigma": 1.0}, "median .7 % of the loss, .13 % to 3.5 %")
"""Default prior of the noise sd of log loss."""


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
    registry : Registry
        Where its name is known.
    name : str
        What model files and the command line call it.
    inputs : tuple of str
        Columns of the runs table it reads; each reaches `evaluate` divided by its reference, or
        plain where `columns` says so.
    output : str
        Column it predicts. The likelihood is normal on its log where it is positive, on its logit
        where it is a share, on itself where it is any real number.
    columns : tuple of Quantity
        What the schema does not say of inputs and output: unit, domain, how an input enters.
    costs : tuple of str, optional
        Inputs whose product is what a run costs: extrapolation is counted in it. By default all
        that enter as ratios; none for a law that is no function of a run's size.
    coefficients : tuple of Coefficient
        In the order in which they are sampled; the first sets the level of the output.
    noise : Prior
        Default prior of the noise, on the scale of the likelihood.
    citation : tuple of str
        Keys in ``references.bib``.
    published : tuple of Published
        Printed coefficients and a prediction each reproduces.
    derived : mapping of str to str
        Textbook quantities that may carry a prior, each with the coefficient whose prior it
        replaces: the quantity must be that coefficient times the first coefficient.
    needs_chains : bool
        Whether importance sampling was found to miss part of its posteriors, noticed or not: `fit`
        then takes tempered ensembles.
    linear : tuple of str, optional
        Real coefficients of which the output sees a linear combination alone, given the others, and
        is proportional to the first coefficient: `evaluate` is `combine` of the sum of each times
        its own of `parts`. Ensembles then carry them along when the others move.
    """

    registry: ClassVar[Registry[Law]] = LAWS
    name: ClassVar[str] = ""
    inputs: ClassVar[tuple[str, ...]] = ()
    output: ClassVar[str] = LOSS
    columns: ClassVar[tuple[Quantity, ...]] = ()
    costs: ClassVar[tuple[str, ...] | None] = None
    coefficients: ClassVar[tuple[Coefficient, ...]] = ()
    noise: ClassVar[Prior] = NOISE
    citation: ClassVar[tuple[str, ...]] = ()
    published: ClassVar[tuple[Published, ...]] = ()
    derived: ClassVar[Mapping[str, str]] = {}
    needs_chains: ClassVar[bool] = False
    linear: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Check the subclass and register it under its name."""
        super().__init_subclass__(**kwargs)
        if "name" in cls.__dict__:
            check_law(cls)
            cls.registry.register(cls.name, cls())

    def __repr__(self) -> str:
        """Return one line: the law, its inputs and its coefficients."""
        symbols = ", ".join(self.symbols)
        return f"Law {self.name}: {self.output}({', '.join(self.inputs)}; {symbols})"

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols of the coefficients, in the order in which they are sampled."""
        return tuple(coefficient.symbol for coefficient in self.coefficients)

    def quantity(self, name: str) -> Quantity:
        """Return what is known of an input or the output: as declared, else from the schema."""
        declared = {quantity.name: quantity for quantity in self.columns}
        found = declared.get(name) or known(name)
        assert found is not None, "check_law saw to it"
        return found

    @cached_property
    def ratios(self) -> tuple[str, ...]:
        """Inputs that reach `evaluate` divided by their reference; the others enter plain."""
        return tuple(n for n in self.inputs if self.quantity(n).enters == "ratio")

    @cached_property
    def positive(self) -> tuple[str, ...]:
        """Inputs that are positive, and so have logs."""
        return tuple(n for n in self.inputs if self.quantity(n).domain == "positive")

    @cached_property
    def cost_columns(self) -> list[int]:
        """Positions among the inputs of those whose product is what a run costs."""
        costs = self.ratios if self.costs is None else self.costs
        return [k for k, name in enumerate(self.inputs) if name in costs]

    @cached_property
    def output_support(self) -> Support:
        """Where the output lives: ``positive``, ``unit`` or ``real``."""
        domain = self.quantity(self.output).domain
        assert domain != "nonnegative", "check_law saw to it"
        return domain

    def link(self, output: Array) -> Array:
        """Return an output on the scale of the likelihood: log, logit or itself."""
        return to_unconstrained(output, self.output_support)

    def inverse_link(self, linked: Array) -> Array:
        """Return the output for a value on the scale of the likelihood."""
        return from_unconstrained(linked, self.output_support)

    def evaluate(self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]) -> Array:
        """Return the law's output.

        Parameters
        ----------
        inputs : mapping of str to array
            Each input divided by its reference, positive; or plain (see `Quantity.enters`).
        coefficients : mapping of str to array
            By symbol, inside their supports; arrays broadcast against the inputs.

        Returns
        -------
        array
            Output in its unit (nats per token for a loss).
        """
        raise NotImplementedError

    def parts(
        self, inputs: Mapping[str, Array], coefficients: Mapping[str, Array]
    ) -> Mapping[str, Array]:
        """Return what each `linear` coefficient is multiplied by; the others alone say."""
        raise NotImplementedError

    def combine(self, combined: Array, coefficients: Mapping[str, Array]) -> Array:
        """Return the law's output for the linear combination; the others alone say the rest."""
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
    found.unless(
        not {"sigma", "tau"} & set(symbols), "sigma and tau name the noise and the discrepancy"
    )
    found.unless(bool(cls.citation), "citation is empty")
    _check_columns(cls, found)
    found.unless(cls.noise.support == "positive", f"noise lives on {cls.noise.support!r}")
    for coefficient in cls.coefficients:
        found.unless(
            coefficient.prior.support == coefficient.support,
            f"prior of {coefficient.symbol} lives on {coefficient.prior.support!r},"
            f" the coefficient on {coefficient.support!r}",
        )
        found.unless(bool(coefficient.prior.reason), f"prior of {coefficient.symbol} has no reason")
    for quantity, symbol in cls.derived.items():
        found.unless(symbol in symbols, f"derived {quantity} names unknown coefficient {symbol!r}")
    supports = {c.symbol: c.support for c in cls.coefficients}
    for symbol in cls.linear:
        found.unless(
            supports.get(symbol) == "real", f"linear names {symbol!r}, no real coefficient"
        )
    found.unless(
        not cls.linear or (cls.parts is not Law.parts and cls.combine is not Law.combine),
        "linear asks for parts and combine",
    )
    arguments = tuple(inspect.signature(cls.evaluate).parameters)
    found.unless(
        cls.evaluate is not Law.evaluate and arguments == ("self", "inputs", "coefficients"),
        f"evaluate takes {arguments}, expected (self, inputs, coefficients)",
    )
    if found.faults:
        raise LawError(f"law class {found.law}: " + "; ".join(found.faults) + ".")


def _check_columns(cls: type[Law], found: _Fault) -> None:
    declared = {quantity.name: quantity for quantity in cls.columns}
    for name in (*cls.inputs, cls.output):
        quantity = declared.get(name) or known(name)
        found.unless(quantity is not None, f"columns says nothing of {name!r}, nor does the schema")
        if quantity is not None and name == cls.output:
            found.unless(quantity.domain != "nonnegative", f"output {name!r} is nonnegative")
        elif quantity is not None and quantity.enters == "ratio":
            found.unless(
                quantity.domain == "positive",
                f"input {name!r} enters as a ratio, but its domain is {quantity.domain!r}",
            )
        if quantity is not None and quantity.shares:
            found.unless(quantity.shares in cls.inputs, f"{name!r} shares no input's reference")
    for name in (*declared, *(cls.costs or ())):
        found.unless(name in (*cls.inputs, cls.output), f"{name!r} is neither input nor output")
