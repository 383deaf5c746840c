"""The printed formula of every law, typed out a second time; one file a family."""

from importlib import import_module
from pkgutil import iter_modules

_FAMILIES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]

PRINTED = {name: formula for family in _FAMILIES for name, formula in family.PRINTED.items()}
"""By law: function of the textbook coefficients, as a mapping, and the inputs by name."""

RISES = {name: inputs for family in _FAMILIES for name, inputs in family.RISES.items()}
"""By law: inputs with which the output does not fall everywhere."""

DESIGNS = {name: design for family in _FAMILIES for name, design in family.DESIGNS.items()}
"""By law: function of (n_runs, rng) that returns its inputs, where typical ranges do not do."""

UNVERIFIED = {
    name: reason
    for family in _FAMILIES
    for name, reason in getattr(family, "UNVERIFIED", {}).items()
}
"""By law: why no published coefficients stand in it; its formula is verified all the same."""

FROM_THE_TOP = {name for family in _FAMILIES for name in getattr(family, "FROM_THE_TOP", ())}
"""Laws whose own tables follow the prior's medians about the mean of the table's top decade."""
