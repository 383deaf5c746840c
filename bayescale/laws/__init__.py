"""Laws: formulas with coefficients, one file each; defining a subclass of `Law` registers it."""

from importlib import import_module
from pkgutil import iter_modules

from bayescale.arguments import NAME, check_arguments
from bayescale.errors import LawError
from bayescale.laws.base import LAWS, Coefficient, Law, Published
from bayescale.laws.chinchilla import Chinchilla
from bayescale.laws.coupled import Coupled
from bayescale.laws.kaplan import Kaplan
from bayescale.laws.power_law import PowerLawCompute, PowerLawParams, PowerLawTokens
from bayescale.laws.prior import Prior
from bayescale.laws.quantity import Quantity
from bayescale.laws.sequence import SEQUENCE_LAWS, SequenceLaw

# Importing a file registers its law, so that adding one takes a file and no list.
for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")


def list_laws() -> tuple[str, ...]:
    """Return the names of all registered laws, those of other packages included."""
    return LAWS.names()


def list_sequence_laws() -> tuple[str, ...]:
    """Return the names of the laws that only curves of runs serve, such as those of schedules."""
    return SEQUENCE_LAWS.names()


def load_law(name: str) -> Law:
    """Return the law called `name`.

    Parameters
    ----------
    name : str
        One of `list_laws()` or of `list_sequence_laws()`.

    Raises
    ------
    UnknownNameError
        When there is none, with the nearest name.
    """
    check_arguments("load_law", LawError, name=(name, NAME))
    return SEQUENCE_LAWS.get(name) if name in SEQUENCE_LAWS.names() else LAWS.get(name)


__all__ = [
    "Chinchilla",
    "Coefficient",
    "Coupled",
    "Kaplan",
    "Law",
    "PowerLawCompute",
    "PowerLawParams",
    "PowerLawTokens",
    "Prior",
    "Published",
    "Quantity",
    "SequenceLaw",
    "list_laws",
    "list_sequence_laws",
    "load_law",
]
