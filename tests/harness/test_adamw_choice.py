"""Which form of AdamW is measured, and where none is."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.harness import adamw_choice
from bayescale.harness.accounting import count_params
from bayescale.harness.adamw_choice import fastest_adamw
from bayescale.harness.config import ADAMW, FUSED, STEPWISE


def test_both_forms_are_timed_and_one_is_taken(make_unit, monkeypatch):
    timed = []
    measure = adamw_choice._seconds

    def seconds(config, shape):
        timed.append((config.adamw, shape))
        return measure(config, shape)

    monkeypatch.setattr(adamw_choice, "WORTH_MEASURING", 1)
    monkeypatch.setattr(adamw_choice, "_seconds", seconds)
    n_params = count_params(make_unit().architecture)
    found = fastest_adamw([make_unit()])
    assert timed == [(form, (1, n_params)) for form in ADAMW]
    assert list(found) == [n_params]
    assert found[n_params] in ADAMW


@pytest.mark.parametrize(("share", "taken"), [(0.74, FUSED), (0.76, STEPWISE)])
def test_noise_does_not_choose_the_fused_form(make_unit, monkeypatch, share, taken):
    monkeypatch.setattr(adamw_choice, "WORTH_MEASURING", 1)
    speeds = {STEPWISE: 1.0, FUSED: share}
    monkeypatch.setattr(adamw_choice, "_seconds", lambda config, _: speeds[config.adamw])
    assert list(fastest_adamw([make_unit()]).values()) == [taken]
    assert list(fastest_adamw([make_unit()], "cuda").values()) == [STEPWISE]


def test_a_short_unit_is_not_worth_a_measurement(make_unit, monkeypatch):
    monkeypatch.setattr(adamw_choice, "_seconds", lambda *_: pytest.fail("measured"))
    assert list(fastest_adamw([make_unit()]).values()) == [STEPWISE]
