"""Every plot returns labelled axes with an artist for each thing it says it shows."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from simulated_question import simulated_runs

import bayescale as bs
from bayescale.errors import ForecastError
from bayescale.plots import style
from bayescale.plots.coefficients import plot_coefficients
from bayescale.plots.extrapolation import plot_extrapolation
from bayescale.plots.held_out import plot_held_out
from bayescale.plots.probability import plot_probability
from bayescale.plots.residuals import plot_residuals


def labels(ax) -> list[str]:
    return ax.get_legend_handles_labels()[1]


def drawn(ax) -> None:
    """Draw, so that a broken formatter or layout shows."""
    ax.figure.canvas.draw()


def test_extrapolation_shows_runs_bands_hidden_runs_and_target(candidates, held_out) -> None:
    ax = plot_extrapolation(candidates, held_out, target=2.2)
    drawn(ax)
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "training compute 6ND (FLOP)"
    assert ax.get_ylabel() == "loss (nats per token)"
    assert {"90 % predictive", "50 % predictive", "median", "hidden runs, own 90 %"} < {*labels(ax)}
    points = sum(len(c.get_offsets()) for c in ax.collections if c.get_label().startswith("fitted"))
    assert points == candidates.posterior.n_runs
    assert any("target 2.2" in text.get_text() for text in ax.texts)


def test_extrapolation_of_a_forecast_alone(candidates) -> None:
    ax = candidates.plot()
    drawn(ax)
    assert not any("hidden" in label for label in labels(ax))
    assert not any("target" in text.get_text() for text in ax.texts)


def test_extrapolation_marks_the_medians_of_the_points(candidates) -> None:
    ax = plot_extrapolation(candidates)
    (marks,) = [c for c in ax.collections if c.get_label() == "forecast, 50 and 90 %"]
    assert marks.get_offsets()[:, 1].tolist() == pytest.approx(candidates.median.tolist())


def test_extrapolation_of_a_law_of_compute_alone() -> None:
    flops = np.geomspace(1e18, 1e20, 12)
    runs = bs.read_runs(pd.DataFrame({"flops": flops, "loss": 1.8 + 50 * flops**-0.1}))
    posterior = bs.fit(runs, "power_law_compute_plain_weak")
    ax = plot_extrapolation(bs.forecast(posterior, flops=1e21))
    drawn(ax)
    assert ax.get_xlabel() == "flops (FLOP)"


def test_extrapolation_draws_on_the_axes_given(candidates) -> None:
    ax = Figure().subplots()
    assert plot_extrapolation(candidates, ax=ax) is ax


def test_held_out_counts_what_the_intervals_hold(held_out) -> None:
    ax = plot_held_out(held_out)
    drawn(ax)
    inside = int(held_out.inside(0.9).sum())
    assert labels(ax)[0] == f"inside 90 %: {inside} of {len(held_out)}"
    assert ax.get_xlabel().startswith("actual loss")
    marks = sum(len(c.get_offsets()) for c in ax.collections if "90 %" in c.get_label())
    assert marks == len(held_out)


def test_probability_writes_the_probability_of_the_target(candidates) -> None:
    ax = plot_probability(candidates, target=2.25, names=["large", "long"])
    drawn(ax)
    wanted = 100 * candidates.prob_below(2.25)
    assert labels(ax) == [f"large: {wanted[0]:.0f} %", f"long: {wanted[1]:.0f} %"]


def test_probability_refuses_a_wrong_number_of_names(candidates) -> None:
    with pytest.raises(ForecastError, match="1 names for 2 points"):
        plot_probability(candidates, names=["one"])


def test_coefficients_have_a_panel_and_a_prior_each(candidates) -> None:
    axes = plot_coefficients(candidates.posterior)
    drawn(axes[0])
    assert [ax.get_title(loc="left").split(" = ")[0] for ax in axes] == [
        "E", "A", "B", "alpha", "beta", "gamma"
    ]  # fmt: skip
    assert all(len(ax.lines) == 2 for ax in axes)


def test_prior_medians_are_those_of_the_table_at_hand() -> None:
    posterior = bs.fit(simulated_runs(), "coupled_gp", engine="amis")
    problem = posterior.problems[0]
    at_hand = problem.priors["E_share"]
    assert at_hand.arguments["mu"] != posterior.spec.priors["E_share"].arguments["mu"]
    (dashed,) = [
        line for line in plot_coefficients(posterior)[0].lines if line.get_label() == "prior median"
    ]
    # The median of a product, six percent below that of its factors' medians.
    share, level = np.random.default_rng(1).uniform(size=(2, 100_000))
    loss = problem.priors["loss_ref"].quantile(level, problem.constants.level)
    wanted = np.median(at_hand.quantile(share) * loss)
    assert dashed.get_xdata()[0] == pytest.approx(wanted, rel=0.03)


def test_residuals_show_every_fitted_run_twice(candidates) -> None:
    axes = plot_residuals(candidates.posterior)
    drawn(axes[0])
    assert [ax.get_xlabel() for ax in axes] == [
        "training compute 6ND (FLOP)", "tokens per parameter D/N"
    ]  # fmt: skip
    assert all(len(ax.collections[-1].get_offsets()) == candidates.posterior.n_runs for ax in axes)


def test_residuals_are_told_in_units_of_what_was_fitted() -> None:
    loss = np.linspace(2.2, 4.0, 12)
    scored = pd.DataFrame({"loss": loss, "downstream_error": 0.9 - 2.2 * np.exp(-0.7 * loss)})
    posterior = bs.fit(scored, "error_of_loss_plain_weak", draws=50)
    (ax,) = plot_residuals(posterior)
    assert ax.get_ylabel() == "residual (% of the odds of downstream error)"
    heavy = bs.fit(simulated_runs(), "chinchilla_plain_student_t_weak", draws=50)
    corners = plot_residuals(heavy)[0].patches[0].get_y()
    scale = np.hypot(np.median(heavy.coefficients(0)["sigma"]), heavy.spec.noise.floor)
    assert corners == pytest.approx(-200.0 * np.sqrt(2.0) * scale)


def test_plots_leave_pyplot_alone() -> None:
    code = (
        "import sys, bayescale.plots as p;"
        "[getattr(p, name) for name in p.__all__];"
        "assert 'matplotlib' not in sys.modules;"
        "from bayescale.plots.style import new_axes; new_axes();"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (18.0, 42.0, {"20", "30", "40"}),
        (12.0, 85.0, {"20", "50"}),
        (2e19, 9e19, {"2\u00d710\u00b9\u2079", "5\u00d710\u00b9\u2079"}),
        (1e17, 1e21, {"10\u00b9\u2078", "10\u00b2\u2070"}),
    ],
)
def test_a_short_logarithmic_axis_has_numbers_too(low: float, high: float, shown: set[str]) -> None:
    (ax,) = style.new_axes()
    ax.scatter([low, high], [1.0, 2.0])
    style.log_axis(ax)
    drawn(ax)
    left, right = ax.get_xlim()
    ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    assert shown <= {label.get_text() for at, label in ticks if left <= at <= right}
