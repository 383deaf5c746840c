"""Windows of a token file as a function of seed and step."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import HarnessError  # noqa: E402
from bayescale.harness.config import DataConfig  # noqa: E402
from bayescale.harness.data import TokenBatches, open_batches  # noqa: E402


@pytest.fixture
def batches():
    """Tokens 0..2099 as wide numbers; the first 100 are held out."""
    tokens = np.arange(2100, dtype=np.uint16)
    return TokenBatches(tokens, n_heldout=100, context=20, eval_tokens=80)


def test_every_window_comes_once_per_epoch(batches):
    # 2000 / 20 windows less two for the phase.
    starts = torch.cat([batches.train((3,), step, 7)[0, :, 0] for step in range(14)])
    assert len(set(starts.tolist())) == 98
    assert len({int(s) % 20 for s in starts}) == 1
    again = torch.cat([batches.train((3,), step, 7)[0, :, 0] for step in range(14, 28)])
    assert starts.tolist() != again.tolist()


def test_a_window_is_consecutive_and_never_held_out(batches):
    windows = batches.train((0, 1), 4, 5)
    assert windows.shape == (2, 5, 21)
    assert (windows.diff(dim=-1) == 1).all()
    assert windows.min() >= 100


def test_a_batch_depends_on_seed_and_step_only(batches):
    before = batches.train((0, 1), 30, 5)
    assert torch.equal(batches.train((1,), 30, 5)[0], before[1])
    assert not torch.equal(before[0], before[1])


def test_a_batch_may_span_two_epochs(batches):
    windows = batches.train((0,), 0, 150)[0, :, 0].tolist()
    assert len(set(windows[:98])) == 98
    assert len(set(windows[98:])) == 52


def test_the_evaluation_set_is_the_held_out_part(batches):
    windows = batches.evaluation()
    assert windows.shape == (4, 21)
    assert windows[:, 1:].flatten().tolist() == list(range(1, 81))


def test_bytes_stay_bytes_in_memory():
    tokens = np.arange(250, dtype=np.uint8)
    batches = TokenBatches(tokens, n_heldout=50, context=8, eval_tokens=40)
    assert batches.train((0,), 0, 2).dtype == torch.int64
    assert batches.n_tokens_unique == 200


def test_an_evaluation_set_larger_than_the_held_out_part_is_refused():
    with pytest.raises(HarnessError, match=r"eval_tokens is 100.*holds out only 100"):
        TokenBatches(np.zeros(300, np.uint8), n_heldout=100, context=20, eval_tokens=100)


def test_a_corpus_of_two_windows_is_refused():
    with pytest.raises(HarnessError, match=r"50 training tokens are fewer"):
        TokenBatches(np.zeros(150, np.uint8), n_heldout=100, context=20, eval_tokens=80)


def test_other_tokens_than_planned_are_refused(make_unit, tmp_path):
    data = DataConfig(corpus="gcide", tokens_sha256="aaaa", eval_tokens=512)
    unit = make_unit(data=data)
    with pytest.raises(HarnessError, match=r"'gcide': no meta\.json"):
        open_batches(unit, tmp_path)
    meta = {"sha256": "bbbb", "dtype": "uint8", "n_heldout": 600}
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(HarnessError, match=r"planned with tokens 'aaaa', the cache holds 'bbbb'"):
        open_batches(unit, tmp_path)
