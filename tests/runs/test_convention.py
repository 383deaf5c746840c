"""Counting under another convention: by hand, on shipped tables, and refused with the way out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.errors import RunsTableError, UnknownNameError
from bayescale.runs.convention import count_flops, recount
from bayescale.runs.flops import CONVENTIONS

SHAPE = {
    "architecture": ["llama", "tnl"],
    "n_params": [54_240, 60_000],
    "n_params_nonembedding": [37_856, 43_616],
    "n_tokens": [1_000_000, 2_000_000],
    "d_model": [32, 32],
    "n_layers": [3, 3],
    "n_heads": [4, 4],
    "ffn_width": [88, 88],
    "vocab_size": [256, 256],
    "context": [128, 128],
    "mixer_flops": [None, 9000.0],
    "loss": [2.0, 2.1],
}
HEAD = 256 * 32


@pytest.fixture
def runs():
    return bs.read_runs(pd.DataFrame(SHAPE))


@pytest.mark.parametrize(
    ("convention", "per_token"),
    [
        ("kaplan", [6 * 37_856, 6 * 43_616]),
        ("porian", [6 * (37_856 + HEAD), 6 * (43_616 + HEAD)]),
        ("porian+attn", [6 * (37_856 + HEAD + 128 * 32 * 3), 6 * (43_616 + HEAD) + 9000]),
        ("palm", [6 * (37_856 + HEAD + 2 * 128 * 32 * 3), 6 * (43_616 + HEAD) + 9000]),
        (
            "chinchilla",
            [
                3 * (4 * HEAD + 3 * (8 * 32**2 + 4 * 128 * 32 + 3 * 4 * 128 + 6 * 32 * 88)),
                3 * (4 * HEAD + 2 * 43_616) + 9000,
            ],
        ),
        (
            "shen",
            [
                72 * 3 * 32**2 * (1 + 128 / 192 + 128 * 4 / (8 * 32**2) + 5 / 576) + 12 * HEAD,
                72 * 3 * 32**2 * (1 + 1 / 8 + 5 / 576) + 12 * HEAD,
            ],
        ),
    ],
)
def test_each_convention_by_hand(runs, convention, per_token):
    counted = recount(runs, convention)
    assert counted.numbers("flops") == pytest.approx(np.array(per_token) * SHAPE["n_tokens"])
    assert counted.compute_6nd == pytest.approx(counted.numbers("flops"))
    assert counted.numbers("file_n_params").tolist() == SHAPE["n_params"]
    assert counted.convention == convention
    assert counted.where("n_tokens>1.5e6").convention == convention


def test_every_convention_cites_and_is_reached_by_reading():
    for name in CONVENTIONS:
        assert bs.read_runs("cpu_gcide_llama", convention=name).convention == name


def test_the_harness_wrote_the_default_convention():
    runs = bs.read_runs("cpu_stdlib_llama")
    counted = count_flops(runs)
    assert counted.numbers("flops_porian").tolist() == runs.numbers("flops").tolist()
    assert {c for c in counted.columns if c not in runs.columns} == {
        f"flops_{name.replace('+', '_')}" for name in CONVENTIONS
    }
    assert set(counted.derived) == set(counted.columns) - set(runs.columns)


def test_one_count_is_enough_for_one_convention():
    frame = pd.DataFrame(SHAPE)[["n_params_nonembedding", "n_tokens", "loss"]]
    counted = bs.read_runs(frame, convention="kaplan")
    assert counted.numbers("n_params").tolist() == SHAPE["n_params_nonembedding"]
    assert "flops_kaplan" in count_flops(frame).columns


@pytest.mark.parametrize(
    ("change", "convention", "message"),
    [
        ({"d_model": None}, "porian", r"has no d_model.*--column.*needs less: kaplan"),
        ({"context": [128, None]}, "palm", r"'palm': context is missing.*1 row \(1\)"),
        ({"mixer_flops": None}, "palm", r"1 row \(1\) \(tnl\) have no softmax and no mixer_flops"),
        ({"architecture": ["llama", "mamba"]}, "shen", r"llama, tnl.*found mamba in 1 row \(1\)"),
    ],
)
def test_what_cannot_be_counted_is_named(change, convention, message):
    frame = pd.DataFrame({k: v for k, v in (SHAPE | change).items() if v is not None})
    with pytest.raises(RunsTableError, match=message):
        bs.read_runs(frame, convention=convention)


def test_a_table_without_any_shape_has_no_convention():
    frame = pd.DataFrame(SHAPE)[["n_params", "n_tokens", "loss"]]
    with pytest.raises(RunsTableError, match=r"has no n_params_nonembedding"):
        count_flops(bs.read_runs(frame))


def test_an_unknown_convention_names_the_nearest(runs):
    with pytest.raises(UnknownNameError, match=r"unknown FLOP convention 'kaplam'.*'kaplan'"):
        recount(runs, "kaplam")


def test_a_counted_table_is_not_counted_again(runs):
    with pytest.raises(RunsTableError, match=r"already counted by kaplan, and palm was asked for"):
        recount(recount(runs, "kaplan"), "palm")
