"""What a backtest puts to the test: a model of ours, or a baseline with the same interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bayescale.errors import ForecastError
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.predict import predict
from bayescale.inference.corpus_range import outside_corpus
from bayescale.inference.fit import run_arrays
from bayescale.inference.hedge import hedged
from bayescale.inference.importance import ESS_MIN, KHAT_MAX, importance_sample, resampled
from bayescale.inference.posterior import Posterior
from bayescale.inference.threads import one_thread
from bayescale.laws import load_law
from bayescale.models.catalog import WEAK_MODEL, load_model
from bayescale.models.discrepancy import Floats
from bayescale.models.learned import corpus_prior_of, without_families
from bayescale.models.problem import Constants, Problem, choose_constants
from bayescale.models.spec import ModelSpec
from bayescale.runs.runs_table import RunsTable

Inputs = Mapping[str, Floats]


@dataclass(frozen=True)
class Prediction:
    """What a method says of some runs, and how well it was computed.

    Parameters
    ----------
    log_loss : Mixture, or array of shape (S, P)
        Predictive distribution of log loss, or equally weighted draws from it.
    khat, ess : float
        Pareto shape and effective sample size; NaN where a method has none.
    """

    log_loss: Mixture | Floats
    khat: float = float("nan")
    ess: float = float("nan")

    @classmethod
    def of(cls, made: Prediction | Mixture | Floats) -> Prediction:
        """Return what a method gave as a `Prediction`."""
        return made if isinstance(made, Prediction) else cls(made)

    @property
    def is_bad(self) -> bool:
        """Whether the computation missed its gates."""
        return self.khat > KHAT_MAX or self.ess < ESS_MIN


Method = Callable[[RunsTable, Inputs], "Prediction | Mixture | Floats"]
"""Takes the fitted runs and the inputs of the runs to predict."""


@dataclass(frozen=True)
class ModelMethod:
    """A model fitted by importance sampling alone; what misses its gates is flagged, not refitted.

    Unlike `fit` it takes as few runs as a task holds, because the protocol has already chosen.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    seed : int
        Seed of the fit.
    draws : int
        Posterior draws.
    elsewhere : ModelSpec, optional
        The model for tables unlike those that `spec` was learned on.
    """

    spec: ModelSpec
    seed: int = 0
    draws: int = 1000
    elsewhere: ModelSpec | None = None

    @property
    def name(self) -> str:
        """Name of the model; ``recommended`` where the table chooses between two."""
        return "recommended" if self.elsewhere else self.spec.name

    @property
    def identity(self) -> str:
        """Text that changes whenever the predictions may change."""
        hashes = [spec.hash for spec in (self.spec, self.elsewhere) if spec]
        return f"{' or '.join(hashes)} seed={self.seed} draws={self.draws}"

    def __call__(self, train: RunsTable, inputs: Inputs) -> Prediction:
        """Fit `train` and predict the runs at `inputs`."""
        with one_thread():
            posterior = self.fit(train)
            parts = predict(posterior, 0, {name: inputs[name] for name in posterior.law.inputs})
        (khat,) = posterior.diagnostics.khat
        return Prediction(Mixture(parts.mean, parts.variance), khat, posterior.diagnostics.ess)

    def fit(self, train: RunsTable, constants: Constants | None = None) -> Posterior:
        """Return the posterior of one group's runs, equal to what `fit` draws from them."""
        problem = self._problem(train, constants)
        weighted = importance_sample(problem, self.seed)
        draws, diagnostics = resampled([problem], [weighted], self.draws, self.seed)
        made = Posterior(
            spec=problem.spec,
            group_columns=(),
            labels=((),),
            problems=(problem,),
            draws=draws,
            population={},
            diagnostics=diagnostics,
            notes=(),
            provenance={"runs": train.name},
        )
        return hedged(made, self.seed)

    def _problem(self, train: RunsTable, constants: Constants | None) -> Problem:
        unlike = self.elsewhere and outside_corpus(self.spec, train, ())
        spec = self.elsewhere if self.elsewhere and unlike else self.spec
        inputs, log_loss, trunks = run_arrays(load_law(spec.law), train)
        return Problem(
            spec=spec,
            inputs=inputs,
            log_loss=log_loss,
            trunks=trunks,
            constants=constants or choose_constants(spec, inputs, log_loss),
        )


def without_family(method: Method, family: str) -> Method:
    """Return a method that has learned nothing from `family`: never score what was learned on.

    Parameters
    ----------
    method : callable
        A model with a corpus prior gets the numbers it has without the family; any other method
        is returned as it is.
    family : str
        The family under test.
    """
    if not isinstance(method, ModelMethod) or method.spec.corpus_prior is None:
        return method
    if family not in corpus_prior_of(method.spec).families:
        return method
    return replace(method, spec=without_families(method.spec, (family,)))


def resolve_method(model: str | Path | ModelSpec | Method | None, seed: int = 0) -> Method:
    """Return what predicts: a baseline or a model by name, or a callable as it is.

    Parameters
    ----------
    model : str, Path, ModelSpec or callable, optional
        Name of a baseline of `forecasts.baselines`, or anything `load_model` takes. Default: what
        `fit` chooses for the fitted runs.
    seed : int
        Seed of a model or a baseline named by text.

    Raises
    ------
    UnknownNameError
        When no baseline and no model has this name.
    ForecastError
        For a model that pools groups, which importance sampling cannot fit.
    """
    from bayescale.forecasts.baselines import BASELINES

    if callable(model):
        return model
    if isinstance(model, str) and model in BASELINES:
        return BASELINES[model](seed)
    if model is None:
        return ModelMethod(load_model(), seed, elsewhere=load_model(WEAK_MODEL))
    spec = load_model(model)
    if spec.pools:
        raise ForecastError(
            f"backtest: model {spec.name!r} pools groups, which importance sampling cannot fit.",
            "Backtest the model without '_partial' or '_crossed': every group is fitted apart.",
        )
    return ModelMethod(spec, seed)


def method_name(method: Any) -> str:
    """Return what a frame calls a method."""
    return str(getattr(method, "name", None) or getattr(method, "__name__", type(method).__name__))


def method_identity(method: Any) -> str:
    """Return the text under which a cache keeps a method's scores."""
    own = getattr(method, "identity", None)
    if own is not None:
        return str(own)
    if hasattr(method, "__qualname__"):
        return f"{method.__module__}.{method.__qualname__}"
    return f"{type(method).__module__}.{method!r}"
