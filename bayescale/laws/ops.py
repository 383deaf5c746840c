"""Array functions that accept NumPy arrays, xarray objects and PyTensor variables alike.

A law or a density written with these and plain arithmetic is one formula for all three. PyTensor is
recognised by its type's module and never imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

Array = Any
"""A NumPy array, a float, an xarray object or a PyTensor variable."""


def _backend(*arrays: Array) -> ModuleType:
    for array in arrays:
        kind = type(array)
        if kind is not np.ndarray and kind.__module__.startswith("pytensor"):
            return sys.modules["pytensor.tensor"]
    return np


def exp(x: Array) -> Array:
    """Return the exponential of `x`."""
    return _backend(x).exp(x)


def log(x: Array) -> Array:
    """Return the natural logarithm of `x`."""
    return _backend(x).log(x)


def log1p(x: Array) -> Array:
    """Return log(1 + x), precise near zero."""
    return _backend(x).log1p(x)


def logaddexp(x: Array, y: Array) -> Array:
    """Return log(exp(x) + exp(y)) without overflow."""
    if _backend(x, y) is not np:
        return x + softplus(y - x)
    # NumPy's own runs one element at a time; only infinities of one sign need it.
    with np.errstate(invalid="ignore"):
        apart = np.abs(x - y)
        # In one piece of memory: a new array a step costs more than the step.
        into = apart if isinstance(apart, np.ndarray) and apart.dtype.kind == "f" else None
        near = np.log1p(np.exp(np.negative(apart, out=into), out=into), out=into)
        total = np.add(np.maximum(x, y), near, out=into)
    return np.logaddexp(x, y) if np.isnan(total).any() else total


def minimum(x: Array, y: Array) -> Array:
    """Return the smaller of `x` and `y`, elementwise."""
    return _backend(x, y).minimum(x, y)


def maximum(x: Array, y: Array) -> Array:
    """Return the larger of `x` and `y`, elementwise."""
    return _backend(x, y).maximum(x, y)


def softplus(x: Array) -> Array:
    """Return log(1 + exp(x)) without overflow.

    PyTensor has it in one operation; sums of exponentials are rewritten for minutes where many
    stand in one law.
    """
    return logaddexp(0.0 * x, x) if _backend(x) is np else _backend(x).softplus(x)


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), written so that no side overflows."""
    return exp(-softplus(-x)) if _backend(x) is np else _backend(x).sigmoid(x)


def logit(x: Array) -> Array:
    """Return log(x / (1 - x))."""
    return log(x) - log1p(-x)


def held(x: Array) -> Array:
    """Return `x` as a constant to every gradient: what a fixed point started from, say."""
    return x if _backend(x) is np else sys.modules["pytensor.gradient"].disconnected_grad(x)


def one_node(function: Callable[..., Array], *arguments: Array) -> Array:
    """Return ``function(*arguments)``, which PyTensor sees as one node of a graph.

    Without it, rewrites of the whole graph multiply an iteration nested in itself, for minutes.

    Parameters
    ----------
    function : callable
        Array function written with this module.
    *arguments : array
        Its arguments.
    """
    backend = _backend(*arguments)
    if backend is np:
        return function(*arguments)
    outer = [backend.as_tensor_variable(argument) for argument in arguments]
    inner = [argument.type() for argument in outer]
    builders = sys.modules["pytensor.compile.builders"]
    return builders.OpFromGraph(inner, [function(*inner)])(*outer)


def to_unconstrained(x: Array, support: str) -> Array:
    """Map a coefficient from its support to the real line.

    Parameters
    ----------
    x : array
        Value inside the support.
    support : {"positive", "unit", "real"}
        Where the coefficient lives.

    Returns
    -------
    array
        log x, logit x, or x itself.
    """
    if support == "positive":
        return log(x)
    return logit(x) if support == "unit" else x


def from_unconstrained(x: Array, support: str) -> Array:
    """Map a real number to a coefficient's support: the inverse of `to_unconstrained`."""
    if support == "positive":
        return exp(x)
    return sigmoid(x) if support == "unit" else x


def log_jacobian(x: Array, support: str) -> Array:
    """Return log |d coefficient / d unconstrained| at unconstrained `x`."""
    if support == "positive":
        return x
    return -logaddexp(0.0 * x, x) - logaddexp(0.0 * x, -x) if support == "unit" else 0.0 * x
