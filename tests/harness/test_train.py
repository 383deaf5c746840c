"""The loop: members do not depend on their stack, nor a run on being interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the harness trains with PyTorch")

from bayescale.harness import checkpoint, record  # noqa: E402
from bayescale.harness.checkpoint import TrainState  # noqa: E402
from bayescale.harness.config import Member  # noqa: E402
from bayescale.harness.divergence import watch  # noqa: E402
from bayescale.harness.train import train  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

EIGHT = tuple(Member(seed=seed, learning_rate=0.002 * 1.5**seed) for seed in range(8))
RESULT = ("run_id", "status", "loss", "loss_se")


def results(folder):
    """Loss and status of every measurement, to the last bit."""
    rows = [found.row for found in record.read(folder).values()]
    return {row["run_id"]: tuple(row[name] for name in RESULT) for row in rows}


def test_a_member_trains_the_same_alone_and_among_eight(make_unit, tmp_path):
    # 48 steps with a clip that binds, other seeds and other rates.
    parts = {"train": {"milestones": (48 * 64,)}, "optim": {"clip": 0.5, "warmup_tokens": 256}}
    train(make_unit(members=EIGHT, **parts), tmp_path / "stack")
    stacked = results(tmp_path / "stack")
    assert len(stacked) == 8
    for k in (0, 3, 7):
        train(make_unit(members=(EIGHT[k],), **parts), tmp_path / f"alone{k}")
        assert results(tmp_path / f"alone{k}").items() <= stacked.items()


def test_a_rate_read_from_a_table_trains_the_same(make_unit, tmp_path):
    train(make_unit(), tmp_path / "plain")
    member = Member(seed=0, learning_rate=np.float64(0.01))
    train(make_unit(members=(member,)), tmp_path / "numpy")
    assert results(tmp_path / "plain") == results(tmp_path / "numpy")


def test_members_learn(make_unit, tmp_path):
    unit = make_unit(members=EIGHT[4:], train={"milestones": (1280, 12800)})
    train(unit, tmp_path)
    rows = [found.row for found in record.read(tmp_path).values()]
    losses = {n: [r["loss"] for r in rows if r["n_tokens"] == n] for n in (1280, 12800)}
    assert max(losses[12800]) < min(losses[1280]) < 2.1


def test_a_branch_equals_a_run_of_its_own_length(make_unit, tmp_path):
    train(make_unit(), tmp_path / "both")
    train(make_unit(train={"milestones": (2560,)}), tmp_path / "one")
    both, one = (results(tmp_path / name) for name in ("both", "one"))
    assert [v[1:] for k, v in both.items() if k.endswith("-40")] == [v[1:] for v in one.values()]


def test_a_cosine_is_a_run_of_its_own_for_every_budget(make_unit, tmp_path):
    cosine = {"schedule": "cosine", "final_rate": 0.1}
    train(make_unit(train=cosine), tmp_path / "both")
    train(make_unit(train=cosine | {"milestones": (2560,)}), tmp_path / "one")
    both, one = (results(tmp_path / name) for name in ("both", "one"))
    assert [v[1:] for k, v in both.items() if k.endswith("-40")] == [v[1:] for v in one.values()]


def test_a_constant_rate_is_measured_without_a_decay(make_unit, tmp_path):
    constant = {"schedule": "constant"}
    train(make_unit(train=constant), tmp_path / "both")
    train(make_unit(train=constant | {"milestones": (2560,)}), tmp_path / "one")
    train(make_unit(), tmp_path / "decayed")
    both, one, decayed = (results(tmp_path / name) for name in ("both", "one", "decayed"))
    assert [v[1:] for k, v in both.items() if k.endswith("-40")] == [v[1:] for v in one.values()]
    assert [v[2] for v in both.values()] != [v[2] for v in decayed.values()]


@pytest.mark.parametrize(
    ("stop_after", "schedule"),
    [(n, "wsd") for n in (3, 16, 18, 20, 33, 47)] + [(22, "cosine"), (22, "constant")],
)
def test_a_stopped_run_goes_on_to_the_same_end(make_unit, tmp_path, stop_after, schedule):
    unit = make_unit(members=EIGHT[:2], train={"schedule": schedule})
    train(unit, tmp_path / "whole")
    for _ in range(20):
        calls = iter(range(1, 1000))
        outcome = train(unit, tmp_path / "cut", should_stop=lambda c=calls: next(c) >= stop_after)
        if outcome == "finished":
            break
    assert results(tmp_path / "cut") == results(tmp_path / "whole")
    assert not list((tmp_path / "cut").glob("checkpoint*"))


def test_a_finished_unit_is_not_trained_again(make_unit, tmp_path):
    train(make_unit(), tmp_path)
    before = (tmp_path / record.FILE_NAME).read_bytes()
    assert train(make_unit(), tmp_path, should_stop=lambda: pytest.fail("trained")) == "finished"
    assert (tmp_path / record.FILE_NAME).read_bytes() == before


def test_a_member_that_diverges_is_kept_and_harms_nobody(make_unit, tmp_path):
    wild = Member(seed=9, learning_rate=1e30)
    train(make_unit(members=(EIGHT[0], wild)), tmp_path / "both")
    train(make_unit(members=(EIGHT[0],)), tmp_path / "alone")
    both, alone = results(tmp_path / "both"), results(tmp_path / "alone")
    assert alone.items() <= both.items()
    rows = [found.row for found in record.read(tmp_path / "both").values()]
    assert [r["status"] for r in rows if r["seed"] == 9] == ["diverged", "diverged"]


def test_a_loss_far_above_its_minimum_for_long_is_divergence(make_unit, tmp_path):
    unit = make_unit(
        members=(EIGHT[0], Member(seed=1, learning_rate=3.0)),
        train={"abort_steps": 20, "batch_tokens": 256, "milestones": (25_600,)},
    )
    train(unit, tmp_path)
    rows = {r.row["seed"]: r.row for r in record.read(tmp_path).values()}
    assert (rows[0]["status"], rows[1]["status"]) == ("finished", "diverged")
    assert rows[1]["loss"] > rows[0]["loss"]


def test_an_easy_batch_now_and_then_makes_nobody_diverge(make_unit):
    config = make_unit(train={"abort_steps": 100}).train
    state = TrainState.begin(torch.zeros(3, 1))
    for step in range(1000):
        easy, wild = 0.2 if step % 40 == 0 else 2.0, 2.0 if step < 500 else 3.5
        watch(state, torch.tensor([easy, wild, 3.5 if step % 99 else 2.0]), config)
    assert state.diverged.tolist() == [False, True, False]


def test_progress_and_the_resolved_configuration(make_unit, tmp_path):
    shares = []
    train(make_unit(), tmp_path, progress=shares.append)
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    assert (tmp_path / "config.json").read_text().strip() == make_unit().to_json()


@pytest.mark.slow
@pytest.mark.parametrize("kill_at", [5, 23, 41])
def test_a_killed_process_resumes_to_the_same_bits(make_unit, tmp_path, kill_at):
    unit = make_unit(members=EIGHT[:2], train={"checkpoint_seconds": 1e-9})
    config = tmp_path / "unit.json"
    config.write_text(unit.to_json())
    script = Path(__file__).with_name("training_process.py")
    command = [sys.executable, str(script), str(config), str(tmp_path / "killed")]

    process = subprocess.Popen(command)
    target = tmp_path / "killed" / f"checkpoint-{kill_at:08d}.pt"
    deadline = time.monotonic() + 120
    while not target.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    state = checkpoint.load(tmp_path / "killed")
    assert state.step > 0

    assert subprocess.run(command, check=True).returncode == 0
    train(unit, tmp_path / "whole")
    assert results(tmp_path / "killed") == results(tmp_path / "whole")


def test_trunks_are_told_apart(make_unit, tmp_path):
    train(make_unit(members=EIGHT[:3]), tmp_path)
    rows = [found.row for found in record.read(tmp_path).values()]
    assert len({row["trunk"] for row in rows}) == 3
    assert len({row["run_id"] for row in rows}) == len(rows) == 6
