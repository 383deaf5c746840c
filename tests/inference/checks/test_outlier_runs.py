"""Single runs that the others do not predict."""

from __future__ import annotations

import numpy as np
import pytest

from bayescale.inference.checks.linear import linear_at
from bayescale.inference.checks.outlier_runs import left_out
from bayescale.inference.checks.subject import Subject
from tests.inference.checks.conftest import NOISE, finding, simulate


@pytest.mark.parametrize("model", ["chinchilla_plain_weak", "coupled_gp_weak"])
def test_a_run_that_went_wrong_is_named(model: str, fit) -> None:
    frame = simulate(11)
    frame.loc[[5, 30], "loss"] *= [np.exp(12 * NOISE), np.exp(-12 * NOISE)]
    found = finding("outlier_runs", fit(frame, model))
    assert (found.level, found.rows) == ("REVIEW", (5, 30))
    assert f"n_params {frame.loc[5, 'n_params']:.4g}" in found.message
    assert "2 of 60 runs" in found.message


def test_one_outlier_does_not_hide_in_the_noise_it_makes(fit) -> None:
    frame = simulate(12, n_runs=15)
    frame.loc[3, "loss"] *= np.exp(25 * NOISE)
    posterior = fit(frame, "chinchilla_plain_weak")
    subject = Subject(posterior)
    z = left_out(subject.groups[0], subject)
    assert int(np.abs(z).argmax()) == 3
    assert finding("outlier_runs", posterior).rows == (3,)


def test_z_is_standard_normal_for_runs_of_the_law(fit) -> None:
    z = []
    for seed in range(20, 30):
        subject = Subject(fit(simulate(seed), "chinchilla_plain_weak"))
        z.append(left_out(subject.groups[0], subject))
    assert np.mean(z) == pytest.approx(0.0, abs=0.1)
    assert np.std(z) == pytest.approx(1.0, abs=0.08)


def test_leaving_out_in_closed_form_is_leaving_out(fit) -> None:
    """For least squares: the residual of a refit without the run, over its standard error."""
    frame = simulate(13, n_runs=20)
    subject = Subject(fit(frame, "chinchilla_plain_weak"))
    group = subject.groups[0]
    near = linear_at(group.problem, subject.coordinates(group).mean(axis=0))
    rest = np.arange(20) != 6
    J, r = near.jacobian[rest], near.residuals[rest]
    step, *_ = np.linalg.lstsq(J, r, rcond=None)
    noise = np.sum((r - J @ step) ** 2) / (19 - 5)
    own = near.jacobian[6]
    sd = np.sqrt(noise * (1 + own @ np.linalg.inv(J.T @ J) @ own))
    t = (near.residuals[6] - own @ step) / sd
    z = left_out(group, subject)[6]
    assert np.sign(z) == np.sign(t)
    assert abs(z) == pytest.approx(abs(t), rel=0.2)
