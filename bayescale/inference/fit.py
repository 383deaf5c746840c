"""Fit a model to a runs table: checks first, then the engine, then gates on its diagnostics."""

from __future__ import annotations

import platform
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bayescale.arguments import (
    COUNT,
    MAPPING,
    NAME,
    NAMES,
    NUMBER,
    SEED,
    check_arguments,
)
from bayescale.errors import ConvergenceWarning, InferenceError, PoolingWarning, UnknownNameError
from bayescale.inference.amis import MAX_COORDINATES
from bayescale.inference.corpus_range import default_spec, outside_corpus
from bayescale.inference.crossed_design import unseparated
from bayescale.inference.guard import guarded
from bayescale.inference.hedge import hedged
from bayescale.inference.importance import (
    ESS_MIN,
    KHAT_MAX,
    fails,
    importance_sample,
    resampled,
)
from bayescale.inference.pooled import sample_pooled
from bayescale.inference.posterior import Diagnostics, Posterior
from bayescale.inference.tempered import EFFORTS, sample_tempered
from bayescale.inference.threads import one_thread
from bayescale.inference.values import CONSTANTS, check_asked, check_values, usable_runs
from bayescale.laws import Law, load_law
from bayescale.models.catalog import load_model
from bayescale.models.discrepancy import Floats
from bayescale.models.learned import without_families
from bayescale.models.problem import Constants, Problem, choose_constants, pooled_constants
from bayescale.models.spec import ModelSpec, Pooling
from bayescale.runs import schema
from bayescale.runs.repetition import MAX_EPOCHS, without_repetition
from bayescale.runs.table import RunsTable

Engine = Literal["auto", "amis", "tempered", "nuts"]
ENGINES = ("auto", "amis", "tempered", "nuts")

RHAT_MAX = 1.01

_FELL = "importance sampling failed its gates; the draws are from {} instead"


def fit(
    runs: Any,
    model: str | Path | ModelSpec | None = None,
    *,
    priors: Mapping[str, Any] | None = None,
    group: str | Sequence[str] = (),
    pooling: Pooling | None = None,
    engine: Engine = "auto",
    draws: int = 1000,
    seed: int = 0,
    constants: Sequence[Constants] | None = None,
    without_family: str | None = None,
    max_epochs: float = MAX_EPOCHS,
) -> Posterior:
    """Infer a law's coefficients, its error and its noise from a table of runs.

    Parameters
    ----------
    runs : RunsTable, DataFrame, or path
        One row per finished run.
    model : str, Path or ModelSpec, optional
        A shipped model's name, a model file, or a spec. Default: the recommended model.
    priors : mapping, optional
        A user's own priors by coefficient or textbook quantity, such as
        ``{"E": {"distribution": "Normal", "mu": 1.7, "sigma": 0.1}}``; they make a new model hash.
    group : str or sequence of str
        Columns that tell groups apart.
    pooling : {"complete", "none", "partial", "crossed"}, optional
        Instead of the model's own.
    engine : {"auto", "amis", "tempered", "nuts"}
        ``auto`` is AMIS. Where that fails its gates on groups that are not pooled it is tempered
        ensembles, and NUTS where they miss theirs; ensembles alone where the law needs chains.
    draws : int
        Posterior draws (per chain under NUTS).
    seed : int
        Seed of everything random.
    constants : sequence of Constants, optional
        One per group, to share with an earlier posterior of the same question.
    without_family : str, optional
        Use the corpus prior that was learned without this family of public tables.
    max_epochs : float
        Runs of more passes over their tokens are left out, unless the law reads how many tokens
        are distinct.

    Returns
    -------
    Posterior
        Draws, model, runs and diagnostics.

    Raises
    ------
    RunsTableError
        For a table that cannot be used, mixed groups included.
    InferenceError
        For too few runs, or an engine that cannot serve the model.

    Warns
    -----
    ConvergenceWarning
        When khat, ESS, R-hat or divergences miss their gates.
    PoolingWarning
        When groups are fitted apart by a model that does not pool them.
    """
    check_arguments(
        "fit",
        InferenceError,
        priors=(priors, MAPPING.or_none),
        group=(group, NAMES),
        pooling=(pooling, NAME.or_none),
        engine=(engine, NAME),
        draws=(draws, COUNT),
        seed=(seed, SEED),
        constants=(constants, CONSTANTS.or_none),
        without_family=(without_family, NAME.or_none),
        max_epochs=(max_epochs, NUMBER),
    )
    columns = (group,) if isinstance(group, str) else tuple(group)
    check_asked(columns, max_epochs)
    table, dropped = usable_runs(runs)
    table.check_groups(columns)
    spec, notes = _chosen_spec(model, table, columns, pooling)
    if without_family is not None:
        spec, said = _left_out(spec, without_family)
        notes = [*notes, said]
    spec = _resolved(spec, priors, pooling)
    if not {schema.N_TOKENS_UNIQUE, schema.EPOCHS} & set(load_law(spec.law).inputs):
        table, repeated = without_repetition(table, max_epochs)
        dropped = (*dropped, *repeated)
    labels, problems = _problems(spec, table, columns, constants, dropped)
    notes = [*dropped, *notes, *_pooling_notes(spec, labels), *unseparated(spec, problems)]
    started = time.process_time()
    drawn, population, diagnostics = _sampled(problems, engine, draws, seed, notes)
    warn_of_gates(diagnostics)
    made = Posterior(
        spec=spec,
        group_columns=columns,
        labels=labels,
        problems=tuple(problems),
        draws=drawn,
        population=population,
        diagnostics=diagnostics,
        notes=tuple(notes),
        provenance=_provenance(table, spec, seed),
        measured=_measured(table, labels, columns),
    )
    with one_thread():
        made = guarded(hedged(made, seed, priors), seed)
    cpu = time.process_time() - started
    return replace(made, diagnostics=replace(diagnostics, cpu_seconds=cpu))


def warn_of_gates(found: Diagnostics) -> None:
    """Warn with the value found for every gate that `found` misses."""
    missed = missed_gates(found)
    if missed:
        way_out = "Use engine='nuts'." if found.engine == "amis" else "Draw more, or simplify."
        warnings.warn(
            f"{found.engine}: {'; '.join(missed)}. {way_out}", ConvergenceWarning, stacklevel=3
        )


def missed_gates(found: Diagnostics) -> list[str]:
    """Return one phrase, with the value found, for every gate that `found` misses."""
    missed = []
    if found.khat and not max(found.khat) <= KHAT_MAX:
        missed.append(f"khat {max(found.khat):.2f} is above {KHAT_MAX}")
    if found.ess < ESS_MIN:
        missed.append(f"effective sample size {found.ess:.0f} is below {ESS_MIN:.0f}")
    if found.rhat > RHAT_MAX:
        missed.append(f"R-hat {found.rhat:.3f} is above {RHAT_MAX}")
    if found.divergences:
        missed.append(f"{found.divergences} divergent transitions")
    return missed


def _chosen_spec(
    model: str | Path | ModelSpec | None,
    table: RunsTable,
    columns: tuple[str, ...],
    pooling: Pooling | None,
) -> tuple[ModelSpec, list[str]]:
    if model is None:
        return default_spec(table, columns, pooling)
    spec = load_model(model)
    outside = outside_corpus(spec, table, columns)
    return spec, [f"model {spec.name} was learned on other tables: {outside}"] if outside else []


def _left_out(spec: ModelSpec, family: str) -> tuple[ModelSpec, str]:
    if spec.corpus_prior is None:
        return spec, f"model {spec.name} learned from no family: nothing of {family!r} to leave out"
    return without_families(spec, (family,)), f"corpus prior learned without family {family!r}"


def _resolved(
    spec: ModelSpec, priors: Mapping[str, Any] | None, pooling: Pooling | None
) -> ModelSpec:
    if pooling is not None:
        spec = replace(spec, pooling=pooling)
    if spec.pools and not spec.spreads:
        raise InferenceError(
            f"model {spec.name!r} states no spreads, so its coefficients cannot be pooled.",
            "Use a model whose name holds '_partial' or '_crossed', or pooling='none'.",
        )
    return spec.with_priors(priors or {})


def _sampled(
    problems: Sequence[Problem], engine: str, draws: int, seed: int, notes: list[str]
) -> tuple[dict[str, Floats], dict[str, Floats], Diagnostics]:
    """Draw with the engine asked for; under ``auto`` fall to another, with a note, on bad gates."""
    chosen = _choose_engine(engine, problems[0].spec)
    if chosen == "amis" and problems[0].spec.pools:
        with one_thread():
            return sample_pooled(problems, draws=draws, seed=seed)
    if chosen == "amis":
        with one_thread():
            weighted = [importance_sample(p, seed, k) for k, p in enumerate(problems)]
        if engine != "auto" or not any(fails(w) for w in weighted):
            drawn, diagnostics = resampled(problems, weighted, draws, seed)
            return drawn, {}, diagnostics
        # Ensembles cover most ridges that a mixture does not, in seconds and without a compiler.
        with one_thread():
            drawn, found = sample_tempered(
                problems, draws=draws, seed=seed, rhat_max=RHAT_MAX, efforts=EFFORTS[:1]
            )
        if not missed_gates(found):
            notes.append(_FELL.format("tempered ensembles"))
            return drawn, {}, found
        notes.append(_FELL.format("NUTS"))
        warnings.warn(notes[-1], ConvergenceWarning, stacklevel=3)
    if chosen == "tempered":
        # No fall to NUTS: where ensembles disagree there are modes that a chain does not leave.
        with one_thread():
            drawn, found = sample_tempered(problems, draws=draws, seed=seed, rhat_max=RHAT_MAX)
        return drawn, {}, found
    from bayescale.inference.nuts import sample_nuts, sample_until_mixed

    if problems[0].spec.pools:
        return sample_nuts(problems, draws=draws, seed=seed)
    return sample_until_mixed(problems, draws=draws, seed=seed, rhat_max=RHAT_MAX)


def _choose_engine(engine: str, spec: ModelSpec) -> str:
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    if engine == "tempered" and spec.pools:
        raise InferenceError(
            f"engine 'tempered' draws each group alone, but model {spec.name!r} pools them.",
            "Use engine='auto', or pooling='none'.",
        )
    if engine != "auto":
        return engine
    if load_law(spec.law).needs_chains:
        return "nuts" if spec.pools else "tempered"
    n_coordinates = len(spec.priors) + len(spec.scale_priors)
    return "nuts" if n_coordinates > MAX_COORDINATES else "amis"


def _problems(
    spec: ModelSpec,
    table: RunsTable,
    columns: tuple[str, ...],
    constants: Sequence[Constants] | None,
    dropped: Sequence[str],
) -> tuple[tuple[tuple[str, ...], ...], list[Problem]]:
    law = load_law(spec.law)
    table.require(*law.inputs, law.output, *columns)
    pooled = spec.pooling == "complete" or not columns
    tables = {(): table} if pooled else table.groups(columns)
    data = {label: run_arrays(law, part) for label, part in tables.items()}
    if not spec.pools:
        for label, (inputs, _, _) in data.items():
            _check_enough(spec, law, label, inputs, dropped)
    if constants is not None and len(constants) != len(data):
        raise InferenceError(
            f"{len(constants)} constants were given for {len(data)} groups.",
            "Pass [p.constants for p in posterior.problems] of a posterior with the same groups.",
        )
    measured = [(inputs, log_loss) for inputs, log_loss, _ in data.values()]
    fixed = constants or (
        pooled_constants(spec, measured)
        if spec.pools
        else [choose_constants(spec, *group) for group in measured]
    )
    problems = [
        Problem(
            spec=spec,
            inputs=inputs,
            log_loss=log_loss,
            trunks=trunks,
            constants=fixed[k],
            levels=dict(zip(columns, label, strict=bool(label))),
        )
        for k, (label, (inputs, log_loss, trunks)) in enumerate(data.items())
    ]
    return tuple(data), problems


def run_arrays(law: Law, table: RunsTable) -> tuple[dict[str, Floats], Floats, Any]:
    """Return the law's inputs, its output on the likelihood's scale, and the trunks of runs.

    Raises
    ------
    InferenceError
        For a value that the law cannot take, with its rows.
    """
    inputs = {name: table.numbers(name) for name in law.inputs}
    output = table.numbers(law.output)
    for name, values in {**inputs, law.output: output}.items():
        check_values(law, name, values, table.name)
    has_trunks = schema.TRUNK in table.columns
    trunks = table.labels(schema.TRUNK) if has_trunks else np.full(len(table), "")
    return inputs, np.asarray(law.link(output)), trunks


def _check_enough(
    spec: ModelSpec,
    law: Law,
    label: tuple[str, ...],
    inputs: Mapping[str, Floats],
    dropped: Sequence[str],
) -> None:
    where = f"group {'/'.join(label)!r}" if label else "the runs table"
    n_runs, needed = len(next(iter(inputs.values()))), len(law.symbols) + 1
    if n_runs < needed:
        raise InferenceError(
            f"{where} holds {n_runs} usable runs, but model {spec.name!r} needs at least {needed}.",
            " ".join([*dropped, "Add runs, or choose a law with fewer coefficients."]),
        )
    for name, values in inputs.items():
        if np.ptp(values) == 0.0 and not law.quantity(name).may_be_constant:
            raise InferenceError(
                f"{where}: all {n_runs} runs have {name} = {values[0]:.6g},"
                f" so law {law.name!r} cannot tell what {name} does.",
                f"Add runs at another {name}, or choose a law that does not read it.",
            )


def _pooling_notes(spec: ModelSpec, labels: tuple[tuple[str, ...], ...]) -> list[str]:
    if spec.pooling != "none" or len(labels) < 2:
        return []
    note = f"{len(labels)} groups were fitted apart: model {spec.name} does not pool them"
    warnings.warn(note + ".", PoolingWarning, stacklevel=3)
    return [note]


def _measured(
    table: RunsTable, labels: Sequence[tuple[str, ...]], columns: tuple[str, ...]
) -> dict[str, dict[str, str]]:
    stated = [name for name in (schema.TOKENIZER, schema.LOSS_KIND) if table.has(name)]
    if not stated or not columns:
        return {}
    rows = table.group_rows(columns)
    return {
        "/".join(label): {name: str(table.labels(name)[rows[label]][0]) for name in stated}
        for label in labels
        if label in rows
    }


def _provenance(table: RunsTable, spec: ModelSpec, seed: int) -> dict[str, str]:
    return {
        "runs": table.name,
        "runs_sha256": table.fingerprint,
        **({"convention": table.convention} if table.convention else {}),
        "model": spec.name,
        "model_hash": spec.hash,
        "seed": str(seed),
        "python": platform.python_version(),
        **_versions(),
    }


@cache
def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("bayescale", "numpy", "scipy")}
