"""Configurations: checks, resolved JSON, hashes."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from bayescale.errors import BayescaleWarning, HarnessError
from bayescale.harness.config import (
    ArchitectureConfig,
    DataConfig,
    Member,
    OptimConfig,
    RunConfig,
    TrainConfig,
    warn_if_head_dim_varies,
)
from bayescale.harness.mixer_options import HGRN2Options, LMInfiniteOptions, TNLOptions
from bayescale.harness.resolved import added, named_tree, read_resolved


def shape(**changed):
    values = {"d_model": 16, "n_layers": 2, "n_heads": 2, "ffn_width": 24}
    return ArchitectureConfig(**{**values, "vocab_size": 8, "context": 16, **changed})


def test_json_writes_every_field_and_reads_back_equal(make_unit):
    unit = make_unit(members=(Member(seed=3, learning_rate=0.1), Member(seed=4, learning_rate=0.2)))
    assert RunConfig.from_json(unit.to_json()) == unit
    assert json.loads(unit.to_json())["optim"]["beta2"] == 0.98


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda t: t["optim"].pop("beta2"), r"RunConfig\.optim: field 'beta2' is missing"),
        (lambda t: t["optim"].update(beta3=1), r"unknown field 'beta3'.*mean 'beta"),
        (lambda t: t["train"].update(milestones=[5, 5]), r"milestones is \(5, 5\).*ascending"),
        (lambda t: t["members"][0].update(seed=-1), r"seed is -1.*at least 0"),
        (lambda t: t.update(members=3), r"RunConfig\.members.*found 3"),
    ],
)
def test_a_faulty_resolved_configuration_is_refused(make_unit, edit, message):
    tree = json.loads(make_unit().to_json())
    edit(tree)
    with pytest.raises(HarnessError, match=message):
        RunConfig.from_json(json.dumps(tree))


def test_text_that_is_no_json_is_quoted():
    with pytest.raises(HarnessError, match=r"not JSON.*'members: 3'"):
        RunConfig.from_json("members: 3")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: shape(n_heads=3), r"n_heads is 3.*divisor of 16"),
        (lambda: shape(d_model=0), r"d_model is 0.*at least 1"),
        (lambda: OptimConfig(warmup_tokens=0, beta2=1.0), r"beta2 is 1\.0"),
        (lambda: OptimConfig(warmup_tokens=0, clip=0.0), r"clip is 0\.0"),
        (lambda: TrainConfig(batch_tokens=64, milestones=()), r"milestones is \(\)"),
        (lambda: TrainConfig(batch_tokens=64, milestones=(128,)), r"milestones is \(128,\).*decay"),
        (lambda: Member(seed=0, learning_rate=float("inf")), r"learning_rate is inf"),
        (lambda: DataConfig(corpus="synthetic_zipf"), r"facts is None"),
    ],
)
def test_a_value_out_of_range_is_named(make, message):
    with pytest.raises(HarnessError, match=message):
        make()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"train": {"batch_tokens": 60}}, r"batch_tokens is 60.*multiple of the context, 16"),
        ({"data": {"eval_tokens": 500}}, r"eval_tokens is 500"),
        ({"data": {"eval_tokens": 16}}, r"eval_tokens is 16.*two sequences of 16 tokens"),
        ({"architecture": {"vocab_size": 9}}, r"vocab_size is 9.*the facts, 8"),
        ({"members": ()}, r"members is \(\)"),
    ],
)
def test_parts_that_do_not_fit_together_are_named(make_unit, parts, message):
    with pytest.raises(HarnessError, match=message):
        make_unit(**parts)


def test_a_trunk_has_the_same_name_in_any_stack(make_unit):
    first, second = Member(seed=0, learning_rate=0.1), Member(seed=1, learning_rate=0.2)
    alone, stacked = make_unit(members=(second,)), make_unit(members=(first, second))
    assert alone.trunk_hash(0) == stacked.trunk_hash(1)
    assert alone.content_hash != stacked.content_hash
    assert stacked.trunk_hash(0) != stacked.trunk_hash(1)


def test_checkpoints_do_not_name_a_trunk(make_unit):
    often = make_unit(train={"checkpoint_seconds": 1.0})
    assert often.trunk_hash(0) == make_unit().trunk_hash(0)


def test_units_keep_the_names_they_have_had_from_the_beginning(make_unit):
    assert (make_unit().content_hash, make_unit().trunk_hash(0)) == ("06130cf6f575", "1418e6cea98f")


@dataclass(frozen=True)
class Grown:
    """A configuration that got a field later."""

    old: int
    new: str = added("none")


def test_a_field_added_later_names_only_what_it_changes():
    assert named_tree(Grown(1)) == {"old": 1}
    assert named_tree((Grown(1, new="some"),)) == [{"old": 1, "new": "some"}]
    assert read_resolved(Grown, {"old": 1}, "Grown") == Grown(1, new="none")
    with pytest.raises(HarnessError, match=r"Grown: field 'old' is missing; found new"):
        read_resolved(Grown, {"new": "some"}, "Grown")


def test_a_family_whose_head_dimension_varies_is_warned_of():
    with pytest.warns(BayescaleWarning, match=r"'llama': head dimensions \[8, 16\]"):
        warn_if_head_dim_varies([shape(), shape(n_heads=1)])


def test_a_mixer_brings_its_own_options_and_no_others(make_unit):
    unit = make_unit(architecture={"name": "tnl"})
    assert unit.architecture.mixer == TNLOptions(decay="log_spaced")
    assert RunConfig.from_json(unit.to_json()) == unit
    assert unit.content_hash != make_unit(architecture={"name": "hgrn2"}).content_hash
    with pytest.raises(HarnessError, match=r"mixer is TNLOptions.*None for architecture 'llama'"):
        shape(mixer=TNLOptions())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LMInfiniteOptions(window=0), r"window is 0.*at least 1"),
        (lambda: LMInfiniteOptions(n_sink=-1), r"n_sink is -1.*at least 0"),
        (lambda: TNLOptions(decay="alibi2"), r"decay is 'alibi2'.*one of log_spaced, alibi"),
        (lambda: HGRN2Options(smallest_gate=1e-4), r"smallest_gate is 0\.0001.*exp\(-5\)"),
        (lambda: shape(ffn_activation="relu"), r"ffn_activation is 'relu'.*silu, none"),
        (lambda: OptimConfig(warmup_tokens=0, adamw="fast"), r"adamw is 'fast'.*stepwise, fused"),
        (lambda: shape(kernel="cuda"), r"kernel is 'cuda'.*chunked, fla"),
    ],
)
def test_an_option_out_of_range_is_named(make, message):
    with pytest.raises(HarnessError, match=message):
        make()
