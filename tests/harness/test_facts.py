"""The synthetic stream: its entropy, its law and its batches."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.harness.config import FactsConfig  # noqa: E402
from bayescale.harness.facts import FactBatches, irreducible_loss, key_probabilities  # noqa: E402


def test_the_irreducible_loss_is_the_entropy_summed_outcome_by_outcome():
    config = FactsConfig(vocab_size=4, key_tokens=2, exponent=0.5, noise=0.2)
    entropy = 0.0
    for p in key_probabilities(config):
        for q in [0.8] + [0.2 / 3] * 3:
            entropy -= p * q * math.log(p * q)
    assert irreducible_loss(config) == pytest.approx(entropy / 3, rel=1e-12)


def test_the_irreducible_loss_of_the_shipped_stream():
    assert irreducible_loss(FactsConfig()) == pytest.approx(0.8417, abs=5e-5)


def test_the_oracle_loses_the_irreducible_loss_on_the_evaluation_set():
    config = FactsConfig(vocab_size=8, key_tokens=2, exponent=0.6, noise=0.1)
    windows = FactBatches(config, 30, 300_000).evaluation().numpy()
    facts = windows[:, :30].reshape(-1, 3)
    key = facts[:, 0] * 8 + facts[:, 1]
    rank = {int(k): i for i, k in enumerate(np.argsort(-np.bincount(key, minlength=64)))}
    assert len(rank) == 64
    frequency = np.bincount(key, minlength=64) / len(key)
    answers = np.zeros((64, 8))
    np.add.at(answers, (key, facts[:, 2]), 1)
    answers /= answers.sum(axis=1, keepdims=True)
    loss = -np.log(frequency[key]) - np.log(answers[key, facts[:, 2]])
    # The plug-in oracle is fitted to the same sample: about 64 * 8 / 2 nats too good in total.
    bias = 64 * 8 / 2 / len(facts) / 3
    error = loss.std() / math.sqrt(len(facts)) / 3
    assert abs(loss.mean() / 3 + bias - irreducible_loss(config)) < 4 * error + bias


def test_the_noise_has_its_stated_share():
    config = FactsConfig(vocab_size=4, key_tokens=1, exponent=0.6, noise=0.25)
    facts = FactBatches(config, 20, 100_000).evaluation()[:, :20].reshape(-1, 2).numpy()
    common = [np.bincount(facts[facts[:, 0] == k, 1], minlength=4).max() for k in range(4)]
    share = 1 - sum(common) / len(facts)
    assert abs(share - 0.25) < 5 * math.sqrt(0.25 * 0.75 / len(facts))


def test_a_batch_depends_on_seed_and_step_only():
    batches = FactBatches(FactsConfig(), 32, 64)
    first = batches.train((0, 1), 5, 4)
    assert first.shape == (2, 4, 33)
    assert torch.equal(first[1], FactBatches(FactsConfig(), 32, 64).train((1,), 5, 4)[0])
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, batches.train((0, 1), 6, 4))
    assert torch.equal(batches.evaluation(), batches.evaluation())
