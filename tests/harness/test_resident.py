"""What happens on a device equals what the host does: random numbers, batches, whole units."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import UnknownNameError  # noqa: E402
from bayescale.harness import record  # noqa: E402
from bayescale.harness.config import FactsConfig, Member  # noqa: E402
from bayescale.harness.counter import uniforms  # noqa: E402
from bayescale.harness.data import TokenBatches  # noqa: E402
from bayescale.harness.device_counter import stream_states, uniforms_at  # noqa: E402
from bayescale.harness.facts import FactBatches  # noqa: E402
from bayescale.harness.resident import resident  # noqa: E402
from bayescale.harness.steps import LOSSES  # noqa: E402
from bayescale.harness.train import train  # noqa: E402

SEEDS = (0, 3, 1234)


def test_random_numbers_are_those_of_the_host():
    states = stream_states([(3, seed) for seed in SEEDS], "cpu")
    for step in (0, 77, 10**9):
        found = uniforms_at(states, torch.tensor(step), 50)
        assert found.tolist() == [uniforms((3, seed, step), 50).tolist() for seed in SEEDS]


def sources():
    tokens = np.arange(2100, dtype=np.uint16)
    facts = FactsConfig(vocab_size=16, key_tokens=3)
    return [
        TokenBatches(tokens, n_heldout=100, context=20, eval_tokens=80),
        FactBatches(facts, 16, 64),
    ]


@pytest.mark.parametrize("batches", sources(), ids=lambda b: b.tokenizer)
def test_batches_are_those_of_the_host(batches):
    drawn = resident(batches, SEEDS, n_sequences=7, n_steps=30, device="cpu")
    # 98 windows an epoch: several epochs, and batches that span two of them.
    for step in (0, 13, 14, 29):
        assert torch.equal(drawn.draw(torch.tensor(step)), batches.train(SEEDS, step, 7))


def rows(folder):
    return [found.row for found in record.read(folder).values()]


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("schedule", ["wsd", "cosine"])
def test_a_unit_learns_the_same_on_the_device(make_unit, tmp_path, schedule):
    members = (Member(seed=0, learning_rate=0.01), Member(seed=1, learning_rate=0.02))
    unit = make_unit(members=members, train={"schedule": schedule})
    for style in ("host", "resident"):
        assert train(unit, tmp_path / style, style=style) == "finished"
    for host, device in zip(*(rows(tmp_path / s) for s in ("host", "resident")), strict=True):
        assert device["loss"] == pytest.approx(host["loss"], rel=1e-6)
        assert device | {"loss": 0, "loss_se": 0} == host | {"loss": 0, "loss_se": 0}
    lines = [json.loads(line) for line in (tmp_path / "resident" / LOSSES).read_text().splitlines()]
    assert [line["segment"] for line in lines] == ([0, 1, 2, 3] if schedule == "wsd" else [0, 1])
    assert all(len(line["loss"]) == 2 for line in lines)


@pytest.mark.usefixtures("one_thread")
def test_a_unit_stopped_on_the_device_ends_the_same(make_unit, tmp_path):
    unit = make_unit()
    train(unit, tmp_path / "whole", style="resident")
    # One look of the host a segment; a stop at each of them.
    for _ in range(4):
        assert (
            train(unit, tmp_path / "cut", style="resident", should_stop=lambda: True) == "stopped"
        )
    assert train(unit, tmp_path / "cut", style="resident") == "finished"
    assert rows(tmp_path / "cut") == rows(tmp_path / "whole")


@pytest.mark.usefixtures("one_thread")
def test_bfloat16_learns_nearly_the_same(make_unit, tmp_path):
    long = make_unit()
    short = dataclasses.replace(long, train=dataclasses.replace(long.train, precision="bfloat16"))
    assert short.content_hash != long.content_hash
    for name, unit in (("long", long), ("short", short)):
        train(unit, tmp_path / name, style="resident")
    assert {row.get("precision") for row in rows(tmp_path / "short")} == {"bfloat16"}
    assert "precision" not in rows(tmp_path / "long")[0]
    losses = [[row["loss"] for row in rows(tmp_path / name)] for name in ("long", "short")]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert losses[1] != losses[0]


def test_an_unknown_style_names_the_nearest(make_unit, tmp_path):
    with pytest.raises(UnknownNameError, match=r"unknown style of steps 'residnt'.*'resident'"):
        train(make_unit(), tmp_path, style="residnt")
