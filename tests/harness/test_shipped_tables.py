"""The tables this harness trained: their cards, their range and their truth."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

pytest.importorskip("torch", reason="the harness trains with PyTorch")

import bayescale as bs
from bayescale.forecasts.downstream import downstream_draws
from bayescale.harness.accounting import count_params, flops_per_token
from bayescale.harness.config import ArchitectureConfig, FactsConfig, Member
from bayescale.harness.corpora import load_card, recipes
from bayescale.harness.facts import irreducible_loss
from bayescale.harness.plan_file import load_plan
from bayescale.harness.record import COLUMNS
from bayescale.harness.trials import tuning_units

REPOSITORY = Path(__file__).parents[2]
RUNS, PLANS = REPOSITORY / "data" / "runs", REPOSITORY / "benchmarks" / "sweeps"
NAMES = (
    "cpu_architectures",
    "cpu_code_hgrn2",
    "cpu_gcide_llama",
    "cpu_prose_llama",
    "cpu_stdlib_llama",
    "cpu_stdlib_long_warmup",
    "cpu_stdlib_one_rate",
    "cpu_stdlib_tuned",
    "synthetic_zipf_llama",
)
SWEEPS = [
    (name, plan.stem)
    for name in NAMES
    for plan in sorted([*PLANS.glob(f"{name}.yaml"), *PLANS.glob(f"{name}_*.yaml")])
]
SHAPE = ("d_model", "n_layers", "n_heads", "ffn_width", "vocab_size", "context")


@pytest.fixture(params=SWEEPS, ids=lambda sweep: sweep[1])
def swept(request):
    """One plan of a shipped table, and the table's rows that come from it."""
    name, stem = request.param
    plan, rows = load_plan(PLANS / f"{stem}.yaml"), pd.read_csv(RUNS / name / "runs.csv")
    own = (rows.dataset == plan.corpus) & (rows.architecture == plan.architecture)
    return plan, rows[own]


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_what_its_card_and_its_plans_say(name):
    card = yaml.safe_load((RUNS / name / "card.yaml").read_text())
    text = (RUNS / name / "runs.csv").read_bytes()
    assert card["sha256"] == hashlib.sha256(text).hexdigest()
    rows = pd.read_csv(RUNS / name / "runs.csv")
    plans = [load_plan(PLANS / f"{stem}.yaml") for table, stem in SWEEPS if table == name]
    from_plans = {(plan.corpus, plan.architecture) for plan in plans}
    assert set(zip(rows.dataset, rows.architecture, strict=True)) == from_plans


def test_rows_are_those_of_the_plan(swept):
    plan, rows = swept
    planned = set()
    for size in plan.sizes:
        n_params = count_params(plan.shape(size))
        for tokens in size.milestones or plan.milestones:
            if tokens >= n_params * plan.min_tokens_per_param:
                planned |= {(n_params, tokens, seed) for seed in size.seeds or plan.seeds}
    assert set(zip(rows.n_params, rows.n_tokens, rows.seed, strict=True)) == planned
    assert len(rows) == len(planned)
    assert tuple(rows.columns)[: len(COLUMNS)] == COLUMNS


def token_hashes(corpus):
    """Hashes of all versions of a corpus; empty for the synthetic stream."""
    if corpus not in recipes():
        return [""]
    return [v["sha256"] for v in load_card(recipes()[corpus])["versions"].values()]


def test_the_plan_still_resolves_to_the_very_trunks_of_the_table(swept):
    plan, rows = swept
    hashes = token_hashes(plan.corpus)
    for size in plan.sizes:
        own = rows[rows.n_params == count_params(plan.shape(size))].drop_duplicates("seed")
        members = tuple(
            Member(seed=int(row.seed), learning_rate=row.learning_rate) for row in own.itertuples()
        )
        tuned = {"batch_tokens": int(own.batch_tokens.iloc[0]), "beta2": own.beta2.iloc[0]}
        units = [plan.unit(size, members, tokens, **tuned) for tokens in hashes]
        found = [[unit.trunk_hash(k) for k in range(len(members))] for unit in units]
        assert list(own.trunk) in found


def test_a_table_of_trials_has_every_setting_of_the_plan():
    plan, folder = load_plan(PLANS / "cpu_stdlib_tuned.yaml"), RUNS / "cpu_tuning"
    rows, tuning = pd.read_csv(folder / "runs.csv"), plan.tuning
    found = [
        {u.trunk_hash(k) for u in tuning_units(plan, tokens) for k in range(len(tuning.grid))}
        for tokens in token_hashes(plan.corpus)
    ]
    assert set(rows.trunk) in found
    assert len(rows) == 3 * rows.trunk.nunique() == 3 * 3 * 54
    final = rows[rows.n_tokens == tuning.tokens]
    best = final.loc[final.groupby("n_params").loss.idxmin()]
    assert set(best.batch_tokens) == {tuning.batch_tokens[0]}
    assert (np.diff(best.learning_rate) <= 0).all()
    assert tuning.grid[0] < best.learning_rate.min()
    assert best.learning_rate.max() < tuning.grid[-1]
    card = yaml.safe_load((folder / "card.yaml").read_text())
    assert card["sha256"] == hashlib.sha256((folder / "runs.csv").read_bytes()).hexdigest()


def test_every_row_is_trained_at_least_one_token_per_parameter(swept):
    _, rows = swept
    assert (rows.n_tokens >= rows.n_params).all()
    assert set(rows.status) == {"finished"}
    assert set(rows.d_model // rows.n_heads) == {8}


def test_counts_follow_from_the_raw_shape(swept):
    plan, rows = swept
    for _, row in rows.drop_duplicates("n_params").iterrows():
        raw = {name: int(row[name]) for name in SHAPE}
        shape = ArchitectureConfig(name=plan.architecture, **raw)
        assert row.n_params == count_params(shape)
        assert row.flops == flops_per_token(shape) * row.n_tokens


def test_more_data_and_more_parameters_help(swept):
    _, rows = swept
    mean = rows.groupby(["n_params", "n_tokens"]).loss.mean().unstack()
    assert (mean.diff(axis=1).stack().dropna() < 0).all()
    assert (mean.iloc[:, -1].diff().dropna() < 0).all()


def test_seeds_differ_by_about_a_percent(swept):
    _, rows = swept
    groups = np.log(rows.loss).groupby([rows.n_params, rows.n_tokens])
    assert 0.003 < np.sqrt(groups.var().mean()) < 0.03


def test_tuning_batch_and_beta2_pays_and_the_probe_follows_the_loss():
    tuned, rate = (pd.read_csv(RUNS / f"cpu_stdlib_{n}" / "runs.csv") for n in ("tuned", "llama"))
    both = tuned.merge(rate, on=["n_params", "n_tokens", "seed"], suffixes=("", "_rate"))
    assert len(both) == len(tuned) == 32
    assert (both.loss < both.loss_rate).all()
    error = tuned.downstream_continuation
    assert error.max() < 0.75 - 4 * np.sqrt(0.75 * 0.25 / 1024)
    assert np.corrcoef(tuned.loss, error)[0, 1] > 0.9
    # The law from loss to error has data: fitted to the small sizes, read at the largest.
    table = bs.read_runs("cpu_stdlib_tuned", columns={"downstream_error": error.name})
    small, large = table.where("n_params<5e4"), table.where("n_params>5e4")
    draws = downstream_draws(
        bs.fit(small, "error_of_loss_plain_weak"),
        np.tile(large.numbers("loss"), (1000, 1)),
        np.random.default_rng(0),
    )
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    truth = large.numbers("downstream_error")
    # Of eight intervals of 90 % that hold independently, fewer than six do so 4 times in 100.
    assert ((low <= truth) & (truth <= high)).sum() >= 6


def test_the_dictionary_table_spans_its_decades():
    rows = pd.read_csv(RUNS / "cpu_gcide_llama" / "runs.csv")
    compute = 6.0 * rows.n_params * rows.n_tokens
    assert np.log10(compute.max() / compute.min()) >= 2.7


def test_the_synthetic_table_states_its_truth_and_stays_above_it():
    folder = RUNS / "synthetic_zipf_llama"
    card = yaml.safe_load((folder / "card.yaml").read_text())
    truth = irreducible_loss(FactsConfig())
    assert card["true_values"]["E"] == pytest.approx(truth, rel=1e-12)
    rows = pd.read_csv(folder / "runs.csv")
    assert (rows.loss > truth - 3 * rows.loss_se).all()
    assert rows.loss.min() < truth + 0.15


def test_a_table_of_a_habit_differs_from_the_tuned_one_in_that_alone():
    tuned = pd.read_csv(RUNS / "cpu_stdlib_llama" / "runs.csv")
    keys = ["n_params", "n_tokens", "seed"]
    for name, changed in (
        ("cpu_stdlib_long_warmup", {"warmup_tokens"}),
        ("cpu_stdlib_one_rate", {"learning_rate"}),
    ):
        habit = pd.read_csv(RUNS / name / "runs.csv")
        both = tuned.merge(habit, on=keys, suffixes=("", "_habit"))
        assert len(both) == len(habit) == 32
        columns = set(tuned) - {*keys, "run_id", "trunk", "loss", "loss_se", "bits_per_byte"}
        differ = {c for c in columns if (both[c] != both[f"{c}_habit"]).any()}
        assert differ == changed
