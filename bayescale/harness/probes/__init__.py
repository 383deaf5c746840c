"""Downstream questions that need no download: multiple choice, made from a counter or from text.

Their errors become columns ``downstream_<name>``, so that a law from loss to error has data.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from bayescale.errors import HarnessError, UnknownNameError
from bayescale.harness.architectures import Backbone
from bayescale.harness.data import Batches
from bayescale.harness.probes.brackets import bracket_questions
from bayescale.harness.probes.cloze import cloze_questions
from bayescale.harness.probes.continuation import continuation_questions
from bayescale.harness.probes.copying import copy_questions
from bayescale.harness.probes.questions import Question, errors
from bayescale.harness.probes.recall import recall_questions

PROBES: dict[str, Callable[[bytes], list[Question]]] = {
    "brackets": bracket_questions,
    "cloze": cloze_questions,
    "continuation": continuation_questions,
    "copy": copy_questions,
    "recall": recall_questions,
}
"""Name to the questions, given the held-out text."""


def probe_errors(
    name: str, backbone: Backbone, params_KP: Tensor, batches: Batches
) -> list[float | None]:
    """Return the share of wrong answers of every member.

    Parameters
    ----------
    name : str
        One of `PROBES`.
    backbone : Backbone
        The network, on bytes.
    params_KP : Tensor
        All parameters, shape (K, P).
    batches : Batches
        Source of the held-out text.

    Returns
    -------
    list of float or None
        One per member, from 0 to 1; None for a member whose losses are no numbers.

    Raises
    ------
    UnknownNameError
        When no probe has that name.
    HarnessError
        When the tokens are no bytes.
    """
    if name not in PROBES:
        raise UnknownNameError("probe", name, PROBES)
    heldout = batches.heldout()
    if heldout is None or batches.tokenizer != "bytes":
        raise HarnessError(
            f"probe {name!r}: the tokens are {batches.tokenizer}, but it asks in bytes.",
            "Leave MeasureConfig.probes empty for this corpus.",
        )
    found = errors(backbone, params_KP, PROBES[name](bytes(heldout.tolist())))
    return [error if math.isfinite(error) else None for error in found]
