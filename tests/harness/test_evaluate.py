"""Loss on the evaluation set, its error and its scale."""

from __future__ import annotations

import dataclasses
import math

import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.harness.architectures import Backbone  # noqa: E402
from bayescale.harness.evaluate import (  # noqa: E402
    bits_per_byte,
    evaluation,
    heldout_losses,
    token_losses,
)


def test_a_silent_head_loses_the_logarithm_of_the_vocabulary(make_unit):
    backbone = Backbone(make_unit().architecture)
    flat = backbone.initial(0)[None].clone()
    backbone.unpack(flat)["head"].zero_()
    found = evaluation(heldout_losses(backbone, flat, torch.randint(0, 8, (5, 17)))[0])
    assert found.loss == pytest.approx(math.log(8), rel=1e-6)
    assert found.loss_se == pytest.approx(0, abs=1e-6)


def test_mean_and_error_over_windows_in_chunks(make_unit, monkeypatch):
    backbone = Backbone(make_unit().architecture)
    flat = torch.stack([backbone.initial(seed) for seed in (0, 1)])
    windows = torch.randint(0, 8, (7, 17), generator=torch.Generator().manual_seed(0))
    each = token_losses(backbone, flat, windows.expand(2, -1, -1)).double().mean(-1)
    monkeypatch.setattr("bayescale.harness.evaluate.CHUNK_TOKENS", 40)
    for k, found in enumerate(map(evaluation, heldout_losses(backbone, flat, windows))):
        assert found.loss == pytest.approx(float(each[k].mean()), rel=1e-6)
        assert found.loss_se == pytest.approx(float(each[k].std()) / math.sqrt(7), rel=1e-5)


@pytest.mark.parametrize(("vocab_size", "n_sequences"), [(8, 16_384), (1 << 16, 256)])
def test_on_a_gpu_many_sequences_go_at_once_unless_their_logits_are_large(
    make_unit, monkeypatch, vocab_size, n_sequences
):
    seen = []
    monkeypatch.setattr(
        "bayescale.harness.evaluate.token_losses",
        lambda backbone, params, windows: seen.append(len(windows[0])) or torch.zeros(1, 1, 15),
    )
    shape = dataclasses.replace(make_unit().architecture, vocab_size=vocab_size)
    heldout_losses(
        Backbone(shape),
        torch.empty(1, 1, device="meta"),
        torch.zeros(20_000, 16, dtype=torch.int64),
    )
    assert seen[0] == n_sequences


def test_bits_per_byte():
    assert bits_per_byte(2 * math.log(2), 4.0) == pytest.approx(0.5)
    assert bits_per_byte(1.0, None) is None
