"""What runs support: their ranges, and the line they may lie on."""

from __future__ import annotations

import numpy as np
import pytest

from bayescale.decisions.support import support_of

N = np.geomspace(1e7, 1e9, 12)


def test_ranges() -> None:
    found = support_of({"n_params": N, "n_tokens": N * np.tile([10.0, 40.0], 6)})
    assert found is not None
    assert found.n_params == (1e7, 1e9)
    assert found.tokens_per_param == pytest.approx((10.0, 40.0))
    assert found.ray is None
    assert found.factor_off_ray(1e9, 1e15) == 1.0


@pytest.mark.parametrize("slope", [1.0, 0.7])
def test_runs_on_a_line_and_how_far_off_it_one_is(slope: float) -> None:
    found = support_of({"n_params": N, "n_tokens": 20 * 1e8 * (N / 1e8) ** slope})
    assert found is not None
    assert found.ray is not None
    on_line = 2e9 * 1e3**slope
    assert found.factor_off_ray(1e11, on_line) == pytest.approx(1.0)
    assert found.factor_off_ray(1e11, on_line / 4) == pytest.approx(4.0)


def test_runs_at_one_size_are_on_no_line() -> None:
    found = support_of({"n_params": np.full(5, 1e8), "n_tokens": np.geomspace(1e9, 1e10, 5)})
    assert found is not None
    assert found.ray is None


def test_nothing_is_said_without_both_inputs_or_without_runs() -> None:
    assert support_of({"flops": N}) is None
    assert support_of({"n_params": np.empty(0), "n_tokens": np.empty(0)}) is None
