"""The PyMC model of a fit, for those who go on in PyMC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bayescale.inference.source import fitted

if TYPE_CHECKING:
    import pymc as pm


def pymc_model(source: Any, *, group: str | Sequence[str] = (), seed: int = 0) -> pm.Model:
    """Return the `pm.Model` of a fit: native PyMC priors around the likelihood of its runs.

    It is the model that ``engine="nuts"`` samples, whichever engine drew the posterior. What is
    mixed into forecasts afterwards, a hedge of the model file say, is no part of it.

    Parameters
    ----------
    source : Posterior, path of a saved one, or anything `fit` takes
        Runs are fitted with the recommended model first.
    group : str or sequence of str
        Columns that tell the groups of runs apart; nothing where `source` is fitted already.
    seed : int
        Seed of the fit.

    Returns
    -------
    pm.Model
        The law's coefficients on their supports, ``sigma`` and, with a discrepancy, ``tau``, along
        the dimension ``group``, in the order of ``posterior.labels``; the likelihood is the
        potential ``log_likelihood``, everything measured stands in `pm.Data` (`models.build`).

    Raises
    ------
    RunsTableError, InferenceError
        When `source` is neither a posterior nor a table, or cannot be read.

    Examples
    --------
    >>> import bayescale as bs
    >>> import pymc as pm
    >>> posterior = bs.fit("cpu_stdlib_llama", "chinchilla_plain_weak")
    >>> with bs.pymc_model(posterior):
    ...     trace = pm.sample(nuts_sampler="nutpie", nuts_sampler_kwargs={"backend": "numba"})
    """
    from bayescale.models.build import build_model

    return build_model(fitted(source, group=group, seed=seed).problems)
