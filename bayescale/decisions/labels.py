"""The group of a planned run: as people write it, and as the fit knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bayescale.errors import DecisionError, UnknownNameError, nearest
from bayescale.inference.posterior import Posterior
from bayescale.runs.columns import resolve
from bayescale.runs.numbers import label


def read_group(found: Any) -> dict[str, str] | tuple[str, ...]:
    """Return a group as a mapping of columns to labels, or as labels alone.

    Parameters
    ----------
    found : mapping, sequence, str, int or None
        ``{"dataset": "c4"}``, ``"dataset=c4"``, ``"c4/xlstm"``, ``["c4", "xlstm"]``, or nothing.

    Raises
    ------
    ValueError
        When it is something else, or holds what is no label.
    """
    if found is None:
        return {}
    if isinstance(found, Mapping):
        return {str(column): _word(value) for column, value in found.items()}
    if isinstance(found, list | tuple):
        return tuple(_word(value) for value in found)
    pairs = [part.partition("=") for part in _word(found).split(",")]
    if all(sign for _, sign, _ in pairs):
        return {_word(name): _word(value) for name, _, value in pairs}
    return tuple(_word(part) for part in _word(found).split("/"))


def _word(found: Any) -> str:
    if isinstance(found, bool) or not isinstance(found, str | int | float) or not label(found):
        raise ValueError(f"{found!r} is no label")
    return label(found)


def fitted_label(
    name: str, group: Mapping[str, str] | Sequence[str], posterior: Posterior
) -> tuple[str, ...]:
    """Return the group of a planned run under the names of the fit.

    Parameters
    ----------
    name : str
        What the plan calls the run.
    group : mapping of str to str, or sequence of str
        As `read_group` returns it.
    posterior : Posterior
        The fit.

    Raises
    ------
    DecisionError
        When it names no group of the fit, and none that the fit could know through its siblings.
    """
    where, columns = f"run {name!r}", posterior.group_columns
    if group and not columns:
        raise DecisionError(
            f"{where}: group is {_shown(group)}, but the fit has no groups.",
            "Leave group out, or fit with --group (group=...).",
        )
    if posterior.spec.pooling == "complete" or (not group and len(posterior.labels) == 1):
        _named(where, group, columns)
        return posterior.labels[0]
    if not isinstance(group, Mapping) and ("/".join(group),) in posterior.labels:
        return ("/".join(group),)  # a label of one column that holds a slash
    given = _named(where, group, columns)
    if len(given) < len(columns):
        example = dict(zip(columns, posterior.labels[0], strict=True))
        raise DecisionError(
            f"{where}: group is {_shown(group)}, but the fit has {len(posterior.labels)} groups by"
            f" {', '.join(columns)}: {_known(posterior)}.",
            f"Give the run a group, such as {example}.",
        )
    found = tuple(given[column] for column in columns)
    _check_known(where, found, posterior)
    return found


def _named(
    where: str, group: Mapping[str, str] | Sequence[str], columns: Sequence[str]
) -> dict[str, str]:
    """Return the labels by the fit's columns, whatever spelling or order they came in."""
    if not isinstance(group, Mapping):
        if group and len(group) != len(columns):
            raise DecisionError(
                f"{where}: group is {_shown(group)}, but the fit groups by {', '.join(columns)}.",
                f"Give {len(columns)} label(s), one a column.",
            )
        return dict(zip(columns, group, strict=False))
    fitted = dict.fromkeys(columns)
    try:
        return {resolve(column, fitted, where): value for column, value in group.items()}  # type: ignore[arg-type]
    except UnknownNameError:
        unknown = next(c for c in group if c not in columns)
        raise DecisionError(
            f"{where}: group names {unknown!r}, but the fit groups by {', '.join(columns)}.",
            nearest(unknown, columns),
        ) from None


def _check_known(where: str, found: tuple[str, ...], posterior: Posterior) -> None:
    """Refuse a group that the fit cannot know, or that differs from a known one by case only."""
    if found in posterior.labels:
        return
    written, known = "/".join(found), ["/".join(each) for each in posterior.labels]
    same = [each for each in known if each.casefold() == written.casefold()]
    if same:
        raise DecisionError(
            f"{where}: group {written!r} is not one of the fit, but {same[0]!r} is.",
            f"Write {same[0]!r}; labels tell capitals apart.",
        )
    if not posterior.population:
        raise DecisionError(
            f"{where}: group {written!r} is unknown to the fit, and its model"
            f" {posterior.spec.name!r} does not pool groups.",
            nearest(written, known),
        )


def _known(posterior: Posterior) -> str:
    shown = ["/".join(each) for each in posterior.labels[:8]]
    more = len(posterior.labels) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _shown(group: Mapping[str, str] | Sequence[str]) -> str:
    return str(dict(group)) if isinstance(group, Mapping) else repr("/".join(group))
