"""A unit of the harness, watched while it trains: its folder is a log, its callback stops."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch", reason="the harness needs the extra `harness`")

import bayescale as bs
from bayescale.forecasts.stopper import Stopper
from bayescale.harness.config import Member
from bayescale.harness.train import train
from bayescale.runs.importers.read import read_logs

N_PARAMS = 4e3


@pytest.fixture(scope="module")
def posterior() -> bs.Posterior:
    """A fit to invented runs that end at about 0.8 nats, where the units end at about 2."""
    rng = np.random.default_rng(0)
    n_params, n_tokens = (v.ravel() for v in np.meshgrid([1e3, 2e3, 4e3], [4e3, 8e3, 16e3, 32e3]))
    loss = 0.5 + 2.0 / n_params**0.3 + 5.0 / n_tokens**0.4
    frame = {"n_params": n_params, "n_tokens": n_tokens}
    frame["loss"] = loss * np.exp(0.003 * rng.standard_normal(12))
    return bs.fit(pd.DataFrame(frame), "chinchilla_plain_weak")


@pytest.fixture(scope="module")
def unit(make_unit):
    members = (Member(seed=0, learning_rate=0.01), Member(seed=1, learning_rate=0.02))
    return make_unit(members=members, train={"milestones": (3200, 12800)})


@pytest.mark.usefixtures("one_thread")
def test_the_stop_rule_stops_a_unit_and_leaves_a_good_one(
    unit, posterior: bs.Posterior, tmp_path: Path
) -> None:
    options = {"n_params": N_PARAMS, "run": f"{tmp_path.name}-0", "every": 0.0}
    eager = Stopper(tmp_path, posterior, target=0.9, **options)
    assert train(unit, tmp_path, should_stop=eager) == "stopped"
    (stopped, _) = read_logs(tmp_path)
    assert stopped.status == "running"
    assert stopped.curve().step[-1] < 200
    lenient = Stopper(tmp_path, posterior, target=3.0, **options)
    assert train(unit, tmp_path, should_stop=lenient) == "finished"
    assert not lenient.stopped
    seen = bs.watch(tmp_path, posterior, n_params=N_PARAMS, run=f"{tmp_path.name}-1")
    assert seen.done == 1.0
    assert seen.place == "above"


@pytest.mark.usefixtures("one_thread")
def test_a_unit_is_its_trunk_and_its_last_branch(unit, tmp_path: Path) -> None:
    train(unit, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert [(line["segment"], line["step"]) for line in lines] == [
        (0, 40), (1, 50), (2, 140), (2, 160), (3, 200),
    ]  # fmt: skip
    first, second = read_logs(tmp_path)
    # The first branch's decay is no part of the longest run.
    assert first.curve().step.tolist() == [40, 140, 160, 200]
    assert first.curve().n_tokens[-1] == 12800
    assert (first.facts["schedule"], first.facts["seed"], second.facts["seed"]) == ("wsd", 0, 1)
    # Counted parameters come with the first measurement.
    assert first.facts["n_params"] > 0
    assert first.status == "finished"
