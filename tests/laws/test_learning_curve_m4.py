"""The implicit learning curve M4: its gradient in PyTensor is that of the root, in one node."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from bayescale.laws import load_law

PLAIN = Mode(linker="py", optimizer="fast_compile")
AT = {"loss_ref": 2.5, "E_share": 0.4, "headroom": 1.5, "c": 0.3, "shape": 1.7}
TOKENS = np.geomspace(1e-4, 1e3, 9)
STEP = 1e-6


def loss(symbol: str, value: float) -> np.ndarray:
    return load_law("learning_curve_m4").evaluate({"n_tokens": TOKENS}, {**AT, symbol: value})


@pytest.mark.parametrize("symbol", ["c", "shape"])
def test_gradient_is_that_of_the_root(symbol: str):
    x = pt.dvector(symbol)
    found = load_law("learning_curve_m4").evaluate({"n_tokens": TOKENS}, {**AT, symbol: x})
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        slope = pytensor.function([x], pytensor.grad(found.sum(), x), mode=PLAIN)
        found_slope = slope(np.full(len(TOKENS), AT[symbol]))
    change = (loss(symbol, AT[symbol] + STEP) - loss(symbol, AT[symbol] - STEP)) / (2.0 * STEP)
    np.testing.assert_allclose(found_slope, change, rtol=1e-6, atol=1e-8)
