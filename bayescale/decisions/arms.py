"""The arms of a comparison: which groups they are, and whether their losses may be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bayescale.arguments import LABEL, Kind, check_arguments, several
from bayescale.decisions import choice_sentences as sentences
from bayescale.decisions.caveats import sampling_caveats
from bayescale.errors import DecisionError, UnknownNameError
from bayescale.forecasts.newcomer import with_new_group
from bayescale.inference.posterior import Posterior
from bayescale.runs.schema import DATASET, LOSS_KIND, TOKENIZER

Arm = str | Sequence[str]
"""A group's label, or a level that one group alone has."""

Label = tuple[str, ...]


_ARMS = Kind(
    "groups: labels, or levels that one group alone has",
    several(lambda arm: LABEL.holds(arm) and len(arm) > 0),
    "Write ('c4', 'xlstm') or 'c4/xlstm'.",
)


def written(label: Label) -> str:
    """Return a label as messages and plots show it."""
    return "/".join(label)


def resolve(posterior: Posterior, arms: Sequence[Arm], what: str, seed: int) -> Resolved:
    """Return the groups that arms name, those without runs added from the population.

    Parameters
    ----------
    posterior : Posterior
        A fit of several groups.
    arms : sequence of str or sequence of str
        Labels (``("c4", "xlstm")`` or ``"c4/xlstm"``), or levels that one group alone has.
    what : str
        Who asks, for messages.
    seed : int
        Seed of a group without runs.

    Raises
    ------
    DecisionError
        For a fit of one group, an arm named twice, or a level that several groups have.
    UnknownNameError
        For an arm that is neither a label nor a level.
    """
    if not posterior.group_columns or posterior.spec.pooling == "complete":
        raise DecisionError(
            f"{what}: the fit has one group, and arms are groups.",
            "Fit with group=..., such as group='architecture'.",
        )
    check_arguments(what, DecisionError, arms=(arms, _ARMS))
    labels = tuple(_label(posterior, arm, what) for arm in arms)
    for label in labels:
        if labels.count(label) > 1:
            raise DecisionError(f"{what}: arm {written(label)} is compared with itself.")
        if label not in posterior.labels:
            posterior = _with_newcomer(posterior, label, seed)
    return posterior, labels


Resolved = tuple[Posterior, tuple[Label, ...]]


def _label(posterior: Posterior, arm: Arm, what: str) -> Label:
    parts = (arm,) if isinstance(arm, str) else tuple(str(part) for part in arm)
    for label in (parts, tuple(parts[0].split("/"))):
        if label in posterior.labels or len(label) == len(posterior.group_columns) > 1:
            return label
    holders = [label for label in posterior.labels if parts[0] in label]
    if len(holders) > 1:
        raise DecisionError(
            f"{what}: {parts[0]!r} is the arm of {len(holders)} groups:"
            f" {', '.join(map(written, holders))}.",
            f"Name one of them, such as {holders[0]}.",
        )
    return holders[0] if holders else parts


def _with_newcomer(posterior: Posterior, label: Label, seed: int) -> Posterior:
    if not posterior.population or len(label) != len(posterior.group_columns):
        raise UnknownNameError("arm", written(label), map(written, posterior.labels))
    return with_new_group(posterior, label, seed)


def check_comparable(posterior: Posterior, labels: Sequence[Label], what: str) -> None:
    """Refuse arms whose losses are in another unit.

    Raises
    ------
    DecisionError
        When tokenizers, or kinds of loss, differ.
    """
    for column in (TOKENIZER, LOSS_KIND):
        found = {label: _value(posterior, label, column) for label in labels}
        known = {value for value in found.values() if value}
        if len(known) > 1:
            said = ", ".join(f"{written(label)} has {value}" for label, value in found.items())
            raise DecisionError(
                f"{what}: the arms differ in {column} ({said}), so their losses cannot be"
                " compared.",
                "Measure one loss with one tokenizer (bits per byte serve), or compare exponents"
                " with contrast.",
            )


def _value(posterior: Posterior, label: Label, column: str) -> str:
    if column in posterior.group_columns:
        return label[posterior.group_columns.index(column)]
    return posterior.measured.get(written(label), {}).get(column, "")


def caveats_of(posterior: Posterior, labels: Sequence[Label]) -> list[str]:
    """Return what a reader of any comparison of some arms must know."""
    return [*sampling_caveats(posterior), *posterior.notes, *_of_arms(posterior, labels)]


def _of_arms(posterior: Posterior, labels: Sequence[Label]) -> Iterator[str]:
    columns = posterior.group_columns
    differ = [c for k, c in enumerate(columns) if len({label[k] for label in labels}) > 1]
    if len(differ) > 1 and len(labels) == 2:
        yield sentences.several_factors(differ)
    if DATASET in differ and not any(_value(posterior, each, LOSS_KIND) for each in labels):
        yield sentences.NO_LOSS_KIND
    for label in labels:
        if not len(posterior.problems[posterior.group_index(label)]):
            yield sentences.no_runs(written(label))
