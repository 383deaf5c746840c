"""Which sizes are compiled, and that what is compiled is the same network."""

from __future__ import annotations

import math
from functools import partial

import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.errors import BayescaleWarning, HarnessError  # noqa: E402
from bayescale.harness import compile_choice, record, steps  # noqa: E402
from bayescale.harness.accounting import count_params  # noqa: E402
from bayescale.harness.architectures import Backbone  # noqa: E402
from bayescale.harness.compile_choice import Speeds, worth_compiling  # noqa: E402
from bayescale.harness.compiling import compiled_gradients  # noqa: E402
from bayescale.harness.config import Member  # noqa: E402
from bayescale.harness.plan import SweepPlan  # noqa: E402
from bayescale.harness.stacking import gradients  # noqa: E402
from bayescale.harness.train import train  # noqa: E402

TWO = tuple(Member(seed=seed, learning_rate=0.01) for seed in range(2))


@pytest.mark.parametrize(
    ("compiled", "compiling", "n_steps", "saves"),
    [(0.5, 10.0, 21, True), (0.5, 10.0, 20, False), (1.1, 0.0, 10**9, False)],
)
def test_compiling_is_to_be_paid_back(compiled, compiling, n_steps, saves):
    assert Speeds(eager=1.0, compiled=compiled, compiling=compiling).saves(n_steps) == saves


@pytest.mark.parametrize(
    ("named", "measured"),
    [
        ({}, True),
        ({"adamw": "stepwise"}, False),
        ({"adamw": "fused", "compiled": "measured"}, True),
        ({"compiled": "never"}, False),
    ],
)
def test_a_plan_that_names_the_form_of_adamw_is_not_compiled_unasked(named, measured):
    sizes = [{"d_model": 8, "n_layers": 1}]
    rest = {"milestones": [5120], "seeds": [0], "learning_rates": [0.01], "sizes": sizes}
    plan = SweepPlan(name="tiny", corpus="synthetic_zipf", **rest, **named)
    assert plan.is_measured("compiled") == measured


def test_a_short_unit_and_a_gpu_are_not_tried(make_unit, monkeypatch):
    monkeypatch.setattr(compile_choice, "compiled_gradients", lambda _: pytest.fail("tried"))
    unit = make_unit(members=TWO)
    n_params = count_params(unit.architecture)
    assert worth_compiling([unit]) == worth_compiling([unit], "cuda") == {n_params: False}


def test_both_ways_are_timed(make_unit, monkeypatch):
    monkeypatch.setattr(compile_choice, "compiled_gradients", lambda own: partial(gradients, own))
    found = compile_choice.speeds(make_unit(members=TWO), lambda eager: eager > 0)
    assert all(0 < seconds < math.inf for seconds in (found.eager, found.compiled, found.compiling))


def test_where_no_compiler_works_nothing_is_compiled_and_that_is_said(make_unit, monkeypatch):
    def refuse(_):
        def fail(*_):
            raise HarnessError("no C++ compiler.")

        return fail

    monkeypatch.setattr(compile_choice, "compiled_gradients", refuse)
    monkeypatch.setattr(compile_choice, "WORTH_TRYING", 0.0)
    with pytest.warns(BayescaleWarning, match=r"no C\+\+ compiler. Its steps are not compiled"):
        assert not any(worth_compiling([make_unit(members=TWO)]).values())


def test_another_gradient_is_not_taken(make_unit, monkeypatch):
    def halved(own):
        def found(params, batch):
            loss, grad = gradients(own, params, batch)
            return loss, 0.5 * grad

        return found

    monkeypatch.setattr(compile_choice, "compiled_gradients", halved)
    with pytest.warns(BayescaleWarning, match=r"compiled gradient differs by 0.5 of its norm"):
        assert compile_choice.speeds(make_unit(members=TWO), lambda _: True) is None


def losses(folder):
    return {found.run_id: found.row["loss"] for found in record.read(folder).values()}


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_compiled_unit_learns_the_same_and_resumes(make_unit, tmp_path, monkeypatch):
    cpp = pytest.importorskip("torch._inductor.cpp_builder")
    try:
        cpp.get_cpp_compiler()
    except RuntimeError as error:
        pytest.skip(f"no C++ compiler: {error}")
    shape = {"n_layers": 1}
    train(make_unit(members=TWO, architecture=shape), tmp_path / "eager")
    unit = make_unit(members=TWO, architecture=shape, train={"compiled": True})
    # Compiled once for all, which are of one shape.
    own = compiled_gradients(Backbone(unit.architecture))
    monkeypatch.setattr(steps, "compiled_gradients", lambda _: own)
    train(unit, tmp_path / "whole")
    looks = iter(range(10**6))
    assert train(unit, tmp_path / "cut", should_stop=lambda: next(looks) == 9) == "stopped"
    assert train(unit, tmp_path / "cut") == "finished"
    whole = losses(tmp_path / "whole")
    assert losses(tmp_path / "cut") == whole
    eager = losses(tmp_path / "eager")
    assert not set(eager) & set(whole)
    assert sorted(whole.values()) == pytest.approx(sorted(eager.values()), rel=1e-3)
