"""How many members go at once: chosen by measurement, without a bit of difference."""

from __future__ import annotations

import json
from functools import partial

import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.harness import record, stacking  # noqa: E402
from bayescale.harness.architectures import Backbone  # noqa: E402
from bayescale.harness.checkpoint import TrainState  # noqa: E402
from bayescale.harness.config import ADAMW, Member  # noqa: E402
from bayescale.harness.train import train  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

FIVE = tuple(Member(seed=seed, learning_rate=0.01) for seed in range(5))


def test_all_half_a_quarter_one():
    assert stacking.candidates(8) == [8, 4, 2, 1]
    assert stacking.candidates(5) == [5, 3, 2, 1]
    assert stacking.candidates(1) == [1]


@pytest.mark.parametrize("adamw", ADAMW)
@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_a_step_does_not_depend_on_it(make_unit, at_once, adamw):
    backbone, optim = Backbone(make_unit().architecture), make_unit(optim={"adamw": adamw}).optim
    flat = torch.stack([backbone.initial(seed) for seed in range(5)])
    batch = torch.randint(0, 8, (5, 4, 17), generator=torch.Generator().manual_seed(0))
    states, losses = [], []
    for n in (5, at_once):
        state = TrainState.begin(flat.clone())
        settings = {"rate_K": torch.full((5,), 0.01), "config": optim}
        own = partial(stacking.gradients, backbone)
        losses.append(stacking.update(own, state, batch, at_once=n, **settings))
        states.append(state)
    assert torch.equal(*losses)
    for name in ("params", "moment1", "moment2"):
        assert torch.equal(*(getattr(state, name) for state in states))


def test_a_unit_keeps_what_it_measured_and_trains_the_same(make_unit, tmp_path, monkeypatch):
    unit = make_unit(members=FIVE)
    train(unit, tmp_path / "short")
    assert not (tmp_path / "short" / stacking.FILE_NAME).exists()
    monkeypatch.setattr(stacking, "WORTH_MEASURING", 1)
    slow = {5: 5.0, 3: 1.0, 2: 1.0, 1: 2.0}
    monkeypatch.setattr(stacking, "step_seconds", lambda *parts: slow[parts[3]])
    train(unit, tmp_path / "long")
    kept = json.loads((tmp_path / "long" / stacking.FILE_NAME).read_text())
    assert kept == {"step_seconds": {str(n): s for n, s in slow.items()}}
    short, long = (
        {k: r.row["loss"] for k, r in record.read(tmp_path / name).items()}
        for name in ("short", "long")
    )
    assert short == long


def test_the_measurement_is_not_repeated_and_ties_go_to_more_members(make_unit, tmp_path):
    backbone = Backbone(make_unit().architecture)
    flat = torch.stack([backbone.initial(seed) for seed in range(5)])
    (tmp_path / stacking.FILE_NAME).write_text('{"step_seconds": {"5": 2.0, "3": 1.0, "2": 1.0}}')
    assert stacking.members_at_once(tmp_path, backbone, flat, torch.zeros(5, 1, 2), 10**6) == 3
