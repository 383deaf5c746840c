"""Plans: what is shipped loads, what is wrong is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import HarnessError
from bayescale.harness.accounting import count_params
from bayescale.harness.config import Member
from bayescale.harness.mixer_options import LMInfiniteOptions
from bayescale.harness.plan_file import load_plan

SHIPPED = sorted((Path(__file__).parents[2] / "benchmarks" / "sweeps").glob("*.yaml"))

PLAN = {
    "name": "tiny",
    "corpus": "synthetic_zipf",
    "facts": {"vocab_size": 8},
    "sizes": [{"d_model": 8, "n_layers": 1}, {"d_model": 16, "n_layers": 1}],
    "context": 16,
    "milestones": [640, 4096],
    "seeds": [0, 1],
    "batch_tokens": 64,
    "learning_rates": [0.01],
    "eval_tokens": 512,
}


TUNED = {"learning_rates": None}


def write(folder, **changed):
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({**PLAN, **changed}))
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_plan_resolves_to_units(path):
    plan = load_plan(path)
    assert plan.name == path.stem
    for size in plan.sizes:
        unit = plan.unit(size, (Member(seed=0, learning_rate=0.01),), "")
        assert unit.architecture.head_dim == plan.head_dim
        n_params = count_params(unit.architecture)
        assert unit.train.milestones[0] >= plan.min_tokens_per_param * n_params
        assert unit.train.milestones[-1] == (size.milestones or plan.milestones)[-1]
        if plan.warmup_tokens is None:
            assert unit.optim.warmup_tokens <= unit.train.milestones[0] / 10 + 0.5


def test_a_size_leaves_out_milestones_too_short_for_it(tmp_path):
    plan = load_plan(write(tmp_path))
    members = (Member(seed=0, learning_rate=0.01),)
    assert count_params(plan.shape(plan.sizes[1])) > 640
    assert plan.unit(plan.sizes[1], members, "").train.milestones == (4096,)
    plan = load_plan(write(tmp_path, milestones=[640]))
    with pytest.raises(HarnessError, match=r"size 16x1 has \d+ parameters.*is 640 tokens"):
        plan.unit(plan.sizes[1], members, "")


def test_warmup_grows_with_the_network_up_to_a_tenth_of_the_shortest_budget(tmp_path):
    plan = load_plan(write(tmp_path, milestones=[4096], warmup_tokens_per_param=0.1))
    members = (Member(seed=0, learning_rate=0.01),)
    n_params = count_params(plan.shape(plan.sizes[0]))
    assert plan.unit(plan.sizes[0], members, "").optim.warmup_tokens == round(0.1 * n_params)
    plan = load_plan(write(tmp_path, milestones=[4096]))
    assert plan.unit(plan.sizes[0], members, "").optim.warmup_tokens == round(0.1 * 4096)


def test_a_plan_sets_the_options_of_its_mixer(tmp_path):
    mixer = {"n_sink": 2, "window": 5}
    changed = {"architecture": "lm_infinite", "mixer": mixer, "ffn_activation": "none"}
    plan = load_plan(write(tmp_path, **changed))
    shape = plan.shape(plan.sizes[0])
    assert shape.mixer == LMInfiniteOptions(n_sink=2, window=5)
    assert shape.ffn_activation == "none"


def test_a_size_may_have_budgets_of_its_own(tmp_path):
    sizes = [{"d_model": 8, "n_layers": 1, "milestones": [1280, 2560]}]
    plan = load_plan(write(tmp_path, sizes=sizes))
    unit = plan.unit(plan.sizes[0], (Member(seed=0, learning_rate=0.01),), "")
    assert unit.train.milestones == (1280, 2560)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"milestone": [1]}, r"unknown key 'milestone'.*mean 'milestones'"),
        ({"facts": {"vocab": 8}}, r"unknown key 'facts\.vocab'.*mean 'vocab_size'"),
        ({"sizes": [{"d_model": 8, "layers": 1}]}, r"unknown key 'sizes\.0\.layers'.*'n_layers'"),
        ({"learning_rates": [0.1, 0.2, 0.3]}, r"learning_rates has 3 rates for 2 sizes"),
        (TUNED, r"exactly one of learning_rates and tuning"),
        ({**TUNED, "tuning": {"grids": [0.1]}}, r"unknown key 'tuning\.grids'.*mean 'grid'"),
        ({"sizes": [{"d_model": 8}]}, r"key 'sizes\.0\.n_layers' is missing"),
        ({"seeds": []}, r"seeds is \[\]"),
        ({"mixer": {"decay": "alibi"}}, r"no option 'decay' for llama; it has none"),
        (
            {"architecture": "tnl", "mixer": {"decays": "alibi"}},
            r"no option 'decays' for tnl; it has decay",
        ),
        ({"batch_tokens": "many"}, r"batch_tokens is 'many'"),
        (
            {"sizes": [{"d_model": 12, "n_layers": 1}]},
            r"d_model 12 is not a multiple of head_dim 8",
        ),
        (
            {**TUNED, "tuning": {"sizes": [5], "grid": [0.1, 0.2, 0.4], "tokens": 640}},
            r"sizes \(5,\) are not positions",
        ),
        (
            {**TUNED, "tuning": {"sizes": [0], "grid": [0.4, 0.2, 0.1], "tokens": 640}},
            r"grid \(0\.4, 0\.2, 0\.1\) is not positive and ascending",
        ),
        (
            {**TUNED, "tuning": {"sizes": [0], "grid": [0.1, 0.2, 0.4], "tokens": 640, "seed": 1}},
            r"seed 1 is one of seeds",
        ),
    ],
)
def test_a_faulty_plan_is_refused(tmp_path, changed, message):
    with pytest.raises(HarnessError, match=message):
        load_plan(write(tmp_path, **changed))


def test_a_missing_key_is_named(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text("name: tiny\n")
    with pytest.raises(HarnessError, match=r"key 'corpus' is missing.*corpus, sizes"):
        load_plan(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n", r"found list, expected keys"),
        ("a: [", r"not readable YAML"),
        ("!!python/object/apply:os.mkdir ['executed']\n", r"not readable YAML"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(tmp_path, text, message):
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(HarnessError, match=message):
        load_plan(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(HarnessError, match=r"nowhere\.yaml': no such file"):
        load_plan(tmp_path / "nowhere.yaml")


def test_every_corpus_meets_every_architecture(tmp_path):
    several = {"corpora": ["synthetic_zipf"], "architectures": ["llama", "tnl"]}
    mixers = {"mixers": {"tnl": {"decay": "alibi"}}}
    path = write(tmp_path, **several, **mixers)
    tree = {k: v for k, v in yaml.safe_load(path.read_text()).items() if k != "corpus"}
    path.write_text(yaml.safe_dump(tree))
    llama, tnl = load_plan(path).arms
    assert (llama.corpus, llama.architecture, tnl.architecture) == (
        "synthetic_zipf",
        "llama",
        "tnl",
    )
    assert tnl.mixer == {"decay": "alibi"}
    assert llama.sizes == tnl.sizes


def test_a_plan_of_one_arm_is_its_own_arm(tmp_path):
    plan = load_plan(write(tmp_path))
    assert plan.arms == (plan,)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"corpora": ["gcide"]}, "exactly one of corpus and corpora"),
        ({"architecture": "tnl", "architectures": ["tnl"]}, "only one of architecture"),
        ({"architectures": ["tnl", "tnl"]}, "names one twice"),
        ({"architectures": ["tnl"], "mixer": {"decay": "alibi"}}, "mixer is for one architecture"),
        ({"architectures": ["tnl"], "mixers": {"hgrn2": {}}}, "mixers names hgrn2"),
        ({"architectures": ["tnl"], "mixers": {"tnl": {"decai": 1}}}, "no option 'decai'"),
        ({"budget": {"second": 10}}, "unknown key 'budget.second'.*Did you mean 'seconds'"),
        ({"budget": {"usd": 10}}, "usd and usd_per_hour are given together"),
        ({"budget": {"seconds": -1}}, "budget.seconds is -1"),
    ],
)
def test_arms_and_budgets_that_contradict_are_refused(tmp_path, changed, said):
    with pytest.raises(HarnessError, match=said):
        load_plan(write(tmp_path, **changed))


def test_a_budget_in_dollars_is_one_of_seconds(tmp_path):
    budget = {"usd": 5.0, "usd_per_hour": 2.5, "seconds": 9000}
    assert load_plan(write(tmp_path, budget=budget)).budget.limits.seconds == 7200.0
