"""Continuation: which of four stretches of held-out text goes on from here."""

from __future__ import annotations

from bayescale.errors import HarnessError
from bayescale.harness.counter import permutation
from bayescale.harness.probes.questions import Draws, Question

N_QUESTIONS, N_ANSWERS = 1024, 4
PROMPT, ASKED = 48, 6
"""Bytes that are read, and bytes of an answer."""
KEY = 35


def continuation_questions(heldout: bytes) -> list[Question]:
    """Return the questions: a stretch of text, its own next bytes and those of other places.

    Parameters
    ----------
    heldout : bytes
        Text that no run has trained on.

    Returns
    -------
    list of Question
        All four answers are held-out text, so that none is unlikely by itself; chance is an error
        of 0.75.

    Raises
    ------
    HarnessError
        When the text is too short or says the same throughout.
    """
    n_places = len(heldout) - PROMPT - ASKED
    if len({heldout[at : at + ASKED] for at in range(PROMPT, len(heldout) - ASKED)}) < N_ANSWERS:
        raise HarnessError(
            f"probe 'continuation': the {len(heldout)} held-out bytes hold no {N_ANSWERS} "
            f"different stretches of {ASKED} after the first {PROMPT}.",
            "Leave it out of MeasureConfig.probes for this corpus.",
        )
    draws, found = Draws(KEY), []
    for at in permutation((KEY,), n_places)[:N_QUESTIONS].tolist():
        prompt, end = heldout[at : at + PROMPT], at + PROMPT
        # The keys of a dict are distinct and keep their order: the right one first.
        answers = {heldout[end : end + ASKED]: True}
        while len(answers) < N_ANSWERS:
            other = PROMPT + draws.below(n_places)
            answers[heldout[other : other + ASKED]] = False
        found.append(Question(prompt, tuple(answers)))
    return found
