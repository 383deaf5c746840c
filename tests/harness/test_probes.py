"""Downstream questions: fixed, fair to a guesser, and answered by whoever knows."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import HarnessError, UnknownNameError  # noqa: E402
from bayescale.harness import probes  # noqa: E402
from bayescale.harness.architectures import Backbone  # noqa: E402
from bayescale.harness.config import ArchitectureConfig  # noqa: E402
from bayescale.harness.data import TokenBatches, open_batches  # noqa: E402
from bayescale.harness.probes import PROBES, probe_errors  # noqa: E402
from bayescale.harness.probes.questions import errors  # noqa: E402

TEXT = b" ".join(b"value_%03d = other_%03d + value_%03d" % (i, i + 1, i) for i in range(400))
CHANCE = {name: 2 / 3 if name == "brackets" else 3 / 4 for name in PROBES}

SHAPE = ArchitectureConfig(
    d_model=8, n_layers=1, n_heads=2, ffn_width=8, vocab_size=256, context=128
)


@pytest.mark.parametrize("name", PROBES)
def test_questions_are_fixed_distinct_and_of_one_length(name):
    questions = PROBES[name](TEXT)
    assert questions == PROBES[name](TEXT)
    assert len({(q.prompt, q.answers) for q in questions}) > 0.9 * len(questions)
    assert len({len(q.prompt + answer) for q in questions for answer in q.answers}) == 1
    assert all(len(set(q.answers)) == len(q.answers) for q in questions)


def test_right_answers_follow_from_the_prompt():
    for q in PROBES["copy"](TEXT):
        assert q.prompt[:8] == q.prompt[-3:] + q.answers[0]
    for q in PROBES["recall"](TEXT):
        assert q.prompt[-1:] + q.answers[0] in q.prompt
        assert all(answer in q.prompt for answer in q.answers)
    for q in PROBES["brackets"](TEXT):
        rest = re.sub(rb"[a-z]", b"", q.prompt + q.answers[0])
        for _ in range(3):
            rest = re.sub(rb"\(\)|\[\]|\{\}", b"", rest)
        assert not re.search(rb"[)\]}]", rest)
    for q in PROBES["cloze"](TEXT):
        assert q.answers[0] in q.prompt
        assert not any(answer in q.prompt for answer in q.answers[1:])
    for q in PROBES["continuation"](TEXT):
        assert q.prompt + q.answers[0] in TEXT
        assert all(answer in TEXT for answer in q.answers)


@pytest.mark.parametrize("name", PROBES)
def test_who_guesses_is_right_by_chance(name, monkeypatch):
    generator = torch.Generator().manual_seed(0)
    monkeypatch.setattr(
        probes.questions, "heldout_losses", lambda *parts: torch.rand(1, *parts[2][:, 1:].shape)
    )
    monkeypatch.setattr(torch, "rand", partial(torch.rand, generator=generator))
    questions = PROBES[name](TEXT)
    (found,) = errors(Backbone(SHAPE), torch.zeros(1, 1), questions)
    # Four standard errors: fails once in 16 000 seeds.
    se = (CHANCE[name] * (1 - CHANCE[name]) / len(questions)) ** 0.5
    assert found == pytest.approx(CHANCE[name], abs=4 * se)


def test_the_likeliest_answer_counts_and_a_tie_is_wrong(monkeypatch):
    questions = PROBES["recall"](TEXT)[:10]
    losses = torch.rand(2, 40, 16, generator=torch.Generator().manual_seed(0))
    losses[0].view(10, 4, 16)[:7, 0, -1] = -1.0
    losses[0].view(10, 4, 16)[7:, 0, -1] = 2.0
    losses[1, :, -1] = 0.5
    monkeypatch.setattr(probes.questions, "heldout_losses", lambda *_: losses)
    assert errors(Backbone(SHAPE), torch.zeros(2, 1), questions) == pytest.approx([0.3, 1.0])
    losses[1, 3] = torch.nan
    assert np.isnan(errors(Backbone(SHAPE), torch.zeros(2, 1), questions)[1])


def test_an_unknown_probe_names_the_nearest(make_unit):
    unit = make_unit()
    with pytest.raises(UnknownNameError, match=r"unknown probe 'copi'.*'copy'"):
        probe_errors(
            "copi", Backbone(unit.architecture), torch.zeros(1, 1), open_batches(unit, None)
        )


def test_questions_are_asked_in_bytes(make_unit):
    unit = make_unit()
    with pytest.raises(HarnessError, match=r"probe 'copy': the tokens are facts"):
        probe_errors(
            "copy", Backbone(unit.architecture), torch.zeros(1, 1), open_batches(unit, None)
        )


def test_text_that_says_one_thing_has_no_continuation():
    with pytest.raises(HarnessError, match=r"'continuation': the 300 held-out bytes hold no 4"):
        PROBES["continuation"](b"aab" * 100)


def test_text_without_repeated_words_gives_no_cloze():
    text = np.frombuffer(b"a bc def " * 100, np.uint8)
    batches = TokenBatches(text, n_heldout=300, context=16, eval_tokens=200)
    with pytest.raises(HarnessError, match=r"'cloze': no identifier.*201 held-out bytes"):
        probe_errors("cloze", Backbone(SHAPE), torch.zeros(1, 1), batches)
