"""Random numbers as a function of their coordinates."""

from __future__ import annotations

import numpy as np

from bayescale.harness.counter import permutation, random_bits, uniforms


def test_an_empty_key_is_splitmix64_from_seed_zero():
    # First outputs of the published generator seeded with 0.
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert random_bits((), np.arange(3, dtype=np.uint64)).tolist() == expected


def test_streams_differ_by_every_word_of_their_key():
    keys = [(0,), (1,), (0, 0), (0, 1), (1, 0)]
    assert len({random_bits(key, np.arange(4, dtype=np.uint64)).tobytes() for key in keys}) == 5


def test_uniforms_are_uniform():
    draws = uniforms((7, 3), 100_000)
    assert 0 <= draws.min() < 1e-4
    assert 1 - 1e-4 < draws.max() < 1
    # Five standard errors of the mean and of the share below a tenth.
    assert abs(draws.mean() - 0.5) < 5 * (1 / 12) ** 0.5 / 100_000**0.5
    assert abs((draws < 0.1).mean() - 0.1) < 5 * 0.3 / 100_000**0.5


def test_a_permutation_has_every_number_once():
    order = permutation((1, 2), 1000)
    assert sorted(order.tolist()) == list(range(1000))
    assert order.tolist() != permutation((1, 3), 1000).tolist()
