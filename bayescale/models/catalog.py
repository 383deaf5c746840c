"""Model files: find them, read them strictly, list them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bayescale.arguments import PATH, Kind, check_arguments
from bayescale.errors import ModelError, UnknownNameError
from bayescale.laws import Prior, list_laws
from bayescale.models.discrepancy import OPTIONAL_PARTS, Discrepancy
from bayescale.models.from_law import GP_SUFFIX, SUFFIX, from_law, law_of
from bayescale.models.hedge import Hedge
from bayescale.models.spec import LearnedFrom, ModelSpec, Noise
from bayescale.registry import shipped

DEFAULT_MODEL = "coupled_growing_gp"
"""What `fit` uses when no model is named: the one place that says so."""

POOLED_MODEL = "coupled_gp"
"""Whose pooled versions `fit` uses for groups: those of the default gain in some families and lose
in others (benchmarks/NOTES.md)."""

WEAK_MODEL = "coupled_growing_gp_weak"
"""What `fit` uses instead for a table unlike any that the default's prior was learned on."""

USER_MODELS = "BAYESCALE_MODELS"
"""Environment variable: a folder of model files that is searched before the shipped ones."""

_NAMED = Kind("a model's name, the path of a model file, or a ModelSpec", PATH.holds)

_KEYS = (
    "name",
    "title",
    "law",
    "pooling",
    "reference",
    "priors",
    "noise",
    "discrepancy",
    "spreads",
    "interaction",
    "factors",
    "regressions",
    "equal_spreads",
    "centred",
    "references",
    "slopes",
    "corpus_prior",
    "hedge",
    "formula",
)


def list_models() -> tuple[str, ...]:
    """Return the names of the models in the user's folder and of the shipped ones."""
    return tuple(sorted({path.stem for folder in _folders() for path in folder.glob("*.yaml")}))


def load_model(name: str | Path | ModelSpec | None = None) -> ModelSpec:
    """Return a model by name, by the path of its file, or as it is.

    Parameters
    ----------
    name : str, Path or ModelSpec, optional
        A name of `list_models()`; ``<law>_plain_weak`` or ``<law>_gp_weak`` for the default priors
        of any law, without and with its own error; a path that ends in ``.yaml``; or a spec.
        Default: the recommended model.

    Raises
    ------
    UnknownNameError
        When no model has this name.
    ModelError
        When the file is no model.
    """
    if isinstance(name, ModelSpec):
        return name
    check_arguments("load_model", ModelError, name=(name, _NAMED.or_none))
    wanted = str(name or DEFAULT_MODEL)
    if wanted.endswith((".yaml", ".yml")):
        return read_model(Path(wanted))
    for folder in _folders():
        if (folder / f"{wanted}.yaml").is_file():
            return read_model(folder / f"{wanted}.yaml")
    if law_of(wanted) is None:
        generic = [f"{law}{suffix}" for law in list_laws() for suffix in (SUFFIX, GP_SUFFIX)]
        near = get_close_matches(wanted, list(filter(law_of, generic)), n=1)
        raise UnknownNameError("model", wanted, {*list_models(), *near})
    return from_law(wanted)


def read_model(path: Path) -> ModelSpec:
    """Read one model file.

    Raises
    ------
    ModelError
        When the file is missing, is no YAML mapping, or its name is not the file's name.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _read_model(path, changed)


@cache
def _read_model(path: Path, changed: int) -> ModelSpec:
    """Read a file once for each time it `changed`: parsing costs as much as half a fit."""
    del changed
    where = f"model file {path.name!r}"
    data = read_yaml(path, where)
    if data.get("name") != path.stem:
        raise ModelError(f"{where}: name is {data.get('name')!r}, expected {path.stem!r}.")
    return model_from_dict(data, where)


def read_yaml(path: Path, where: str) -> Mapping[str, Any]:
    """Return the mapping that a plain YAML file holds; tags that build objects are refused.

    Parameters
    ----------
    path : Path
        File to read.
    where : str
        What to call it in messages.

    Raises
    ------
    ModelError
        When the file cannot be read, is no plain YAML, or holds no mapping.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{where} cannot be read: {error}.", "Give the path of a file.") from error
    except yaml.YAMLError as error:
        raise ModelError(f"{where} is not plain YAML: {error}".replace("\n", " ")) from error
    if not isinstance(data, Mapping):
        raise ModelError(f"{where} holds {type(data).__name__}, but a mapping was expected.")
    return data


def model_from_dict(data: Mapping[str, Any], where: str = "model") -> ModelSpec:
    """Build a spec from plain data, refusing unknown keys.

    Parameters
    ----------
    data : mapping
        What a model file holds, or `ModelSpec.to_dict` returned.
    where : str
        What to call it in messages.
    """
    _check_keys(data, (*_KEYS, "derived_priors"), _KEYS[:7], where)
    return ModelSpec(
        name=str(data["name"]),
        title=str(data["title"]),
        law=str(data["law"]),
        pooling=data["pooling"],
        reference=data["reference"],
        priors=_priors(data["priors"], f"{where}, priors"),
        noise=_noise(data["noise"], f"{where}, noise"),
        discrepancy=_discrepancy(data.get("discrepancy"), f"{where}, discrepancy"),
        spreads=_priors(data.get("spreads") or {}, f"{where}, spreads"),
        interaction=_priors(data.get("interaction") or {}, f"{where}, interaction"),
        factors=_nested(data.get("factors") or {}, f"{where}, factors"),
        regressions=_nested(data.get("regressions") or {}, f"{where}, regressions"),
        equal_spreads=_sets(data.get("equal_spreads") or [], f"{where}, equal_spreads"),
        centred=tuple(data.get("centred") or ()),
        derived_priors=_priors(data.get("derived_priors") or {}, f"{where}, derived_priors"),
        references=tuple(data.get("references") or ()),
        slopes=_slopes(data.get("slopes") or {}, f"{where}, slopes"),
        corpus_prior=_learned_from(data.get("corpus_prior"), f"{where}, corpus_prior"),
        hedge=Hedge.from_dict(data["hedge"], f"{where}, hedge") if data.get("hedge") else None,
        formula=data.get("formula"),
    )


def _folders() -> list[Path]:
    own = os.environ.get(USER_MODELS)
    return [*([Path(own)] if own else []), shipped("models")]


def _check_keys(data: Any, known: Any, required: Any, where: str) -> None:
    if not isinstance(data, Mapping):
        raise ModelError(f"{where}: found {data!r}, but a mapping was expected.")
    for key in data:
        if key not in known:
            raise UnknownNameError("key", str(key), known, where)
    for key in required:
        if key not in data:
            raise ModelError(f"{where}: key {key!r} is missing.", f"Required: {list(required)}.")


def _priors(data: Any, where: str) -> dict[str, Prior]:
    if not isinstance(data, Mapping):
        raise ModelError(f"{where}: found {data!r}, but a mapping was expected.")
    return {str(k): Prior.from_dict(v, f"{where}, {k}") for k, v in data.items()}


def _noise(data: Any, where: str) -> Noise:
    keys = ("sigma", "floor", "trunk_correlation", "distribution", "nu")
    _check_keys(data, keys, keys[:3], where)
    return Noise(
        sigma=Prior.from_dict(data["sigma"], f"{where}, sigma"),
        floor=_number(data, "floor", where),
        trunk_correlation=_number(data, "trunk_correlation", where),
        distribution=data.get("distribution", "normal"),
        nu=_number(data, "nu", where) if "nu" in data else None,
    )


def _discrepancy(data: Any, where: str) -> Discrepancy | None:
    if data is None:
        return None
    keys = ("tau", "length", "rho", "kappa")
    _check_keys(data, (*keys, *OPTIONAL_PARTS), keys, where)
    return Discrepancy(
        tau=Prior.from_dict(data["tau"], f"{where}, tau"),
        length=_number(data, "length", where),
        rho=_number(data, "rho", where),
        kappa=_number(data, "kappa", where),
        **{part: _number({part: 0.0, **data}, part, where) for part in OPTIONAL_PARTS},
    )


def _nested(data: Any, where: str) -> dict[str, dict[str, Prior]]:
    if not isinstance(data, Mapping):
        raise ModelError(f"{where}: found {data!r}, but a mapping was expected.")
    return {str(key): _priors(priors, f"{where}, {key}") for key, priors in data.items()}


def _sets(data: Any, where: str) -> tuple[tuple[str, ...], ...]:
    if not isinstance(data, list) or not all(isinstance(names, list) for names in data):
        raise ModelError(f"{where}: found {data!r}, but a list of lists of names was expected.")
    return tuple(tuple(map(str, names)) for names in data)


def _slopes(data: Any, where: str) -> dict[str, dict[str, float]]:
    for symbol, slopes in data.items():
        if not isinstance(slopes, Mapping):
            raise ModelError(f"{where}: {symbol} is {slopes!r}, but a mapping was expected.")
    return {
        str(symbol): {str(name): _number(slopes, name, f"{where}, {symbol}") for name in slopes}
        for symbol, slopes in data.items()
    }


def _learned_from(data: Any, where: str) -> LearnedFrom | None:
    if data is None:
        return None
    keys = ("hash", "largest_flops", "median_tokens_per_param")
    _check_keys(data, keys, keys, where)
    ranges = {key: _range(data[key], f"{where}, {key}") for key in keys[1:]}
    return LearnedFrom(hash=str(data["hash"]), **ranges)


def _range(values: Any, where: str) -> tuple[float, float]:
    if not isinstance(values, list) or len(values) != 2:
        raise ModelError(f"{where} is {values!r}, but two numbers were expected.")
    low, high = (_number({"value": value}, "value", where) for value in values)
    return low, high


def _number(data: Mapping[str, Any], key: str, where: str) -> float:
    value = data[key]
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ModelError(f"{where}: {key} is {value!r}, but a number was expected.")
    return float(value)
