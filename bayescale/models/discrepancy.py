"""The law's own error as a Gaussian process on log inputs, and the covariance of one table.

One eigendecomposition per table turns a covariance tau^2 K + sigma^2 S into independent terms with
variances tau^2 lambda + sigma^2, whatever tau and sigma are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from bayescale.errors import ModelError
from bayescale.laws import Law, Prior
from bayescale.runs.schema import N_PARAMS, N_TOKENS

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Discrepancy:
    """The law's own error: a Gaussian process on log inputs, and the improvement not delivered.

    Parameters
    ----------
    tau : Prior
        Standard deviation of the process at the largest fitted compute, on log loss.
    length : float
        Length scale, in e-folds of the inputs.
    rho : float
        Growth of the standard deviation per e-fold of compute below the largest fitted compute.
    kappa : float
        Standard deviation of the share of the promised improvement that does not arrive beyond
        the largest fitted compute; one unknown per table.
    shared : float
        Share of the process's variance that groups of one pooled fit have in common.
    rho_tokens : float
        Growth of the standard deviation per e-fold of tokens below the most of any fitted run.
    rho_ratio : float
        Growth per e-fold that a run's tokens per parameter lie off the fitted runs' median.
    """

    tau: Prior
    length: float
    rho: float
    kappa: float
    shared: float = 0.0
    rho_tokens: float = 0.0
    rho_ratio: float = 0.0


OPTIONAL_PARTS = ("shared", "rho_tokens", "rho_ratio")
"""Numbers of a discrepancy that a model file may leave out: zero."""


RATIO_REACH = 4.0
"""E-folds of tokens per parameter beyond which a run is no stranger than it is already."""


def check_growth(model: str, shape: Discrepancy, law: Law) -> None:
    """Raise where a discrepancy grows with what a law does not read.

    Raises
    ------
    ModelError
        With the number and the columns that are missing.
    """
    needed = {"rho_tokens": {N_TOKENS}, "rho_ratio": {N_TOKENS, N_PARAMS}}
    for part, columns in needed.items():
        missing = sorted(columns - set(law.inputs))
        if getattr(shape, part) and missing:
            raise ModelError(
                f"model {model!r}: discrepancy.{part} is {getattr(shape, part):g}, but law"
                f" {law.name!r} does not read {', '.join(missing)}.",
                "Leave it out; rho speaks of compute.",
            )


def kernel(shape: Discrepancy, positions: Floats, others: Floats) -> Floats:
    """Return the Matern-3/2 correlation of the discrepancy.

    Parameters
    ----------
    shape : Discrepancy
        Length scale.
    positions, others : array, shapes (m, dims) and (n, dims)
        Natural logs of the inputs.

    Returns
    -------
    array, shape (m, n)
        Correlation; 1 on the diagonal.

    References
    ----------
    Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, equation 4.17.
    """
    distance = np.linalg.norm(positions[:, None, :] - others[None, :, :], axis=-1)
    scaled = np.sqrt(3.0) * distance / shape.length
    return np.asarray((1.0 + scaled) * np.exp(-scaled))


def amplitude(shape: Discrepancy, compute: Floats, tokens: Floats, ratio: Floats) -> Floats:
    """Return the discrepancy's standard deviation at unit tau, shape (m,).

    Parameters
    ----------
    shape : Discrepancy
        Growth rates.
    compute, tokens : array, shape (m,)
        Natural log less that of the largest fitted run.
    ratio : array, shape (m,)
        Natural log of tokens per parameter less the fitted runs' median.

    Returns
    -------
    array, shape (m,)
        1 for the largest runs on the ray on which most were made.
    """
    growth = -shape.rho * np.minimum(compute, 0.0)
    growth = growth - shape.rho_tokens * np.minimum(tokens, 0.0)
    return np.asarray(np.exp(growth + shape.rho_ratio * np.minimum(np.abs(ratio), RATIO_REACH)))


@dataclass(frozen=True)
class Whitening:
    """A rotation under which tau^2 K + sigma^2 S is diagonal.

    Parameters
    ----------
    rotation : array, shape (n, n), or None
        Residuals times `rotation` are independent; None when they already are.
    eigenvalues : array, shape (n,)
        Variance of each rotated residual per unit tau^2; the sigma^2 part is always one.
    log_scale : float
        Log determinant of the rotation's inverse: a constant of the log density.
    """

    rotation: Floats | None
    eigenvalues: Floats
    log_scale: float

    def rotate(self, residuals: Any) -> Any:
        """Return residuals (..., n) in the coordinates in which they are independent."""
        return residuals if self.rotation is None else residuals @ self.rotation


def whiten(covariance: Floats | None, correlation: Floats | None, n_runs: int) -> Whitening:
    """Return the whitening of tau^2 `covariance` + sigma^2 `correlation`.

    Parameters
    ----------
    covariance : array, shape (n, n), or None
        Discrepancy at unit tau; None for no discrepancy.
    correlation : array, shape (n, n), or None
        Correlation of the noise; None for independent noise.
    n_runs : int
        n.
    """
    if covariance is None and correlation is None:
        return Whitening(None, np.zeros(n_runs), 0.0)
    inner = np.zeros((n_runs, n_runs)) if covariance is None else covariance
    if correlation is None:
        eigenvalues, vectors = np.linalg.eigh(inner)
        return Whitening(vectors, np.maximum(eigenvalues, 0.0), 0.0)
    lower = np.linalg.cholesky(correlation)
    inverse = linalg.solve_triangular(lower, np.eye(n_runs), lower=True)
    eigenvalues, vectors = np.linalg.eigh(inverse @ inner @ inverse.T)
    log_scale = float(np.log(np.diag(lower)).sum())
    return Whitening(inverse.T @ vectors, np.maximum(eigenvalues, 0.0), log_scale)


def trunk_correlation(trunks: np.ndarray[Any, Any], correlation: float) -> Floats | None:
    """Return the noise correlation of rows that branch from one trunk, None when none do.

    Parameters
    ----------
    trunks : array of str, shape (n,)
        Trunk of each row; the empty string for a run of its own.
    correlation : float
        Correlation of two rows of one trunk.
    """
    same = (trunks[:, None] == trunks[None, :]) & (trunks[:, None] != "")
    np.fill_diagonal(same, False)
    if correlation == 0.0 or not same.any():
        return None
    return np.eye(len(trunks)) + correlation * same
