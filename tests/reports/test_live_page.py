"""The page in a real browser: sliders answer as the library does, and nothing leaves the page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulated_question import simulated_frame, simulated_plan

import bayescale as bs
from bayescale.decisions.what_if import WhatIf, what_if
from bayescale.reports import numbers, tables
from bayescale.reports.gathered import Gathered
from bayescale.reports.live import payload
from bayescale.reports.opening import opening
from bayescale.reports.page import page as html_page

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
HOSTILE = '<script>alert("1")</script>\' onload="x" =1+1 {name} \\u003c/script>'

PRICE = {"usd_per_gpu_hour": 2.0, "peak_flops": 989e12, "mfu": 0.4}
PILOTS = [
    {"name": "1B on 20B", "n_params": 1e9, "n_tokens": 2e10},
    {"name": "2B on 20B", "n_params": 2e9, "n_tokens": 2e10},
    {"name": HOSTILE, "n_params": 5e8, "n_tokens": 4e10},
]
PLANS: dict[str, dict[str, Any]] = {
    "step": {"pilots": PILOTS, "target": {"loss": 2.18}, "value": {"usd": 12_000}},
    # Pilots so cheap that several together are worth valuing.
    "cheap pilots": {
        "pilots": [{**pilot, "cost_usd": 5.0} for pilot in PILOTS],
        "target": {"loss": 2.18},
        "value": {"usd": 11_000},
        "risk": {"tolerance_usd": 100_000},
    },
    "linear, minding losses": {
        "pilots": PILOTS,
        "target": {"loss": 2.18},
        "value": {"usd": 13_000, "shape": "linear", "worthless_at": 2.3},
        "risk": {"tolerance_usd": 20_000},
        "inference": {"lifetime_tokens": 1e11},
    },
    "piecewise, in time": {
        "pilots": PILOTS,
        "target": {"loss": 2.18},
        "value": {"shape": "piecewise", "points": [[2.1, 30_000], [2.2, 14_000], [2.3, 0]]},
        "price": {**PRICE, "gpus": 64, "deadline_days": 2.0},
    },
    "downstream": {
        "pilots": PILOTS,
        "target": {"downstream": {"error": 0.399, "column": "average"}},
        "value": {"usd": 12_000},
    },
}

AS_NUMBERS = """states => states.map(state => {
  const found = bayescale.weigh(state);
  const losses = c => bayescale.quantiles(c.drawn);
  return {
    verdict: found.verdict, chosen: found.ranked[0].name, evpi: found.evpi,
    candidates: found.candidates.map(c => [
      c.chance, c.net, c.weighed, c.breakEvenValue, c.breakEvenPrice, c.cost,
      losses(c).low, losses(c).median, losses(c).high]),
    best: found.candidates.map(c => Math.round(c.best * c.drawn.loss.length)),
    met: found.candidates.map(c => c.drawn.outcome.filter(o => o <= state.target).length),
    pilots: [...found.pilots, ...found.sets].map(p => [p.cost, p.value, p.error, p.gain]),
    names: [...found.pilots, ...found.sets].map(p => p.name),
  };
})"""


@dataclass
class Shown:
    """A page in the browser, what it was made from, and what it complained of."""

    page: Any
    path: Path
    question: WhatIf
    decision: bs.Decision
    complaints: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        return str(self.page.locator(f'[data-live="{name}"]').first.text_content())

    def press(self, slider: str, *keys: str) -> None:
        self.page.focus(f"#slider-{slider}")
        for key in keys:
            self.page.keyboard.press(key)
        answered(self.page)


def answered(page: Any) -> None:
    """Wait for two frames: the page answers once a frame."""
    for _ in range(2):
        page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    found = os.environ.get("BAYESCALE_BROWSER") or next(
        filter(None, map(shutil.which, BROWSERS)), None
    )
    if found is None:
        pytest.skip("no Chromium was found; install it (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


def opened(browser: Any, path: Path, **context: Any) -> tuple[Any, list[str]]:
    """Open a file without a network; whatever it says or asks for is a complaint."""
    page = browser.new_context(offline=True, **context).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    page.on(
        "request",
        lambda request: (
            complaints.append(request.url) if not request.url.startswith(path.as_uri()) else None
        ),
    )
    page.goto(path.as_uri())
    return page, complaints


@pytest.fixture(scope="module", params=PLANS)
def shown(request, browser, posterior, tmp_path_factory) -> Iterator[Shown]:
    path = tmp_path_factory.mktemp("live") / "report.html"
    plan = simulated_plan(**PLANS[request.param])
    if request.param == "downstream":
        plan["target"] = {"downstream": {**plan["target"]["downstream"], "runs": scored(path)}}
    decision = bs.decide(posterior, plan)
    first_screen(path, posterior, decision)
    page, complaints = opened(browser, path, viewport={"width": 1280, "height": 900})
    yield Shown(page, path, what_if(posterior, decision), decision, complaints)
    page.context.close()


def scored(beside: Path) -> str:
    """Write a table of losses and downstream errors, and return its name."""
    loss = np.linspace(2.1, 4.0, 25)
    table = np.column_stack([loss, 0.857 - 2.21 * np.exp(-0.715 * loss)])
    path = beside.with_name("scored.csv")
    np.savetxt(path, table, delimiter=",", header="loss,average", comments="")
    return str(path)


def first_screen(path: Path, posterior: bs.Posterior, decision: bs.Decision) -> None:
    """Write a page that ends with its first screen."""
    made = Gathered(
        posterior=posterior, runs=None, forecast=None, decision=decision, hidden=None, linted=(),
        command="",
    )  # fmt: skip
    assert made.question is not None
    path.write_text(html_page(opening(made), (), payload(decision, made.question)), "utf-8")
    assert path.stat().st_size < 4e6


def moved_states(question: WhatIf, n_states: int = 8) -> list[dict[str, float]]:
    """Return the question as asked, then others drawn at random."""
    rng = np.random.default_rng(0)
    asked = {"target": question.scenario.target.level, "value": 1.0, "price": 1.0, "scale": 1.0}
    states = [asked]
    for _ in range(n_states):
        factors = np.exp(rng.normal(0, [0.006, 0.5, 0.5, 0.6]))
        states.append(
            {
                "target": asked["target"] * float(factors[0]),
                "value": float(factors[1]),
                "price": float(factors[2]),
                "scale": float(np.clip(factors[3], question.scales[0], question.scales[-1])),
            }
        )
    return states


def test_the_script_weighs_as_the_library_does(shown: Shown) -> None:
    states = moved_states(shown.question)
    verdicts = set()
    for state, script in zip(states, shown.page.evaluate(AS_NUMBERS, states), strict=True):
        library = shown.question.at(**state)
        verdicts.add(library.verdict)
        assert (script["verdict"], script["chosen"]) == (library.verdict, library.ranked[0].name)
        assert script["names"] == [pilot.name for pilot in library.every_pilot]
        assert script["evpi"] == pytest.approx(library.evpi_usd, rel=1e-9, abs=1e-6)
        for mine, theirs in zip(script["candidates"], library.candidates, strict=True):
            low, high = theirs.loss_interval_90
            assert mine == pytest.approx(
                [
                    theirs.prob_target, theirs.expected_net_value_usd, theirs.weighed_usd,
                    theirs.break_even_value_usd, theirs.break_even_price_usd_per_gpu_hour,
                    theirs.cost_usd, low, theirs.loss_median, high,
                ],
                rel=1e-6, abs=1e-9,
            )  # fmt: skip
        # Equal counts on the draws that the page carries.
        ahead = shown.question._sized(state["scale"])
        own = ahead.outcomes[:, : len(library.candidates)].astype(float)
        assert script["met"] == (own <= state["target"]).sum(axis=0).tolist()
        n_draws = len(own)
        assert script["best"] == [round(c.prob_best * n_draws) for c in library.candidates]
        for mine, theirs in zip(script["pilots"], library.every_pilot, strict=True):
            assert mine == pytest.approx(
                [theirs.cost_usd, theirs.evsi_usd, theirs.evsi_se_usd, theirs.net_gain_usd],
                rel=1e-9, abs=1e-6,
            )  # fmt: skip
    assert len(verdicts) > 1


def test_the_page_as_opened_is_the_decision(shown: Shown) -> None:
    best = shown.decision.outcome
    assert shown.text("verdict") == shown.decision.verdict
    assert shown.text("chance") == numbers.percent(best.prob_target)
    assert shown.text("net") == numbers.money(best.expected_net_value_usd)
    assert shown.text("loss") == numbers.loss(best.loss_median)
    assert shown.page.locator("#moved").is_hidden()


MOVES = {
    "target": ["PageDown", "PageDown", "ArrowLeft"],
    "value": ["PageDown", "PageDown", "PageDown"],
    "price": ["End", "PageDown"],
    "scale": ["PageDown", "PageDown", "ArrowRight"],
}


def test_a_slider_moved_by_keyboard_answers_as_the_library_does(shown: Shown) -> None:
    # A probability that counts draws moves by one draw at a time.
    counted = shown.question.runs.sample is not None
    draw = shown.decision.scenario.value_usd / 4000 if counted else 0.0
    for slider, keys in MOVES.items():
        shown.press(slider, *keys)
        state = shown.page.evaluate("bayescale.state()")
        library = shown.question.at(**state)
        best = library.ranked[0]
        assert shown.text("verdict") == library.verdict, slider
        assert shown.text("chance") == numbers.percent(best.prob_target)
        assert shown.text("net") == numbers.money(best.expected_net_value_usd)
        assert best.name in shown.text("chance-words")
        for name, at in shown.page.evaluate("bayescale.turns()").items():
            if at is not None and name != "scale":
                turned = shown.question.at(**{**state, name: at}).candidates
                (own,) = [c for c in turned if c.name == best.name]
                assert abs(own.weighed_usd) < 1e-5 * own.cost_usd + draw, name
        assert shown.page.locator("#moved").is_visible()
        shown.page.click("#back")
        assert shown.text("verdict") == shown.decision.verdict
        assert shown.page.locator("#moved").is_hidden()


def test_nothing_is_said_or_asked_for(shown: Shown) -> None:
    assert shown.complaints == []


def cells(page: Any, table: str) -> list[tuple[str, ...]]:
    rows = page.locator(f'[data-table="{table}"] tbody tr').all()
    return [tuple(row.locator("td").all_text_contents()) for row in rows]


def test_tables_follow_the_sliders(hostile: Shown) -> None:
    hostile.press("scale", "PageUp", "PageUp")
    hostile.press("price", "PageUp")
    library = hostile.question.at(**hostile.page.evaluate("bayescale.state()"))
    moved = replace(hostile.decision, candidates=library.candidates, pilots=library.pilots)
    before = tables.candidates(hostile.decision)
    assert cells(hostile.page, "candidates") == [*tables.candidates(moved).rows] != [*before.rows]
    assert cells(hostile.page, "pilots") == [*tables.pilots(moved).rows]
    hostile.page.click("#back")
    assert cells(hostile.page, "candidates") == [*before.rows]


FORMATS = {
    "money": numbers.money, "usd": numbers.usd, "percent": numbers.percent,
    "lossText": numbers.loss, "times": numbers.times, "plainNumber": numbers.number,
    "countText": numbers.count,
}  # fmt: skip


@pytest.fixture(scope="module")
def hostile(browser, tmp_path_factory) -> Iterator[Shown]:
    frame = simulated_frame().assign(run_id=HOSTILE)
    runs = bs.read_runs(frame, name=HOSTILE)
    fitted, hidden = runs.hide_largest(30)
    posterior = bs.fit(fitted)
    plan = simulated_plan(title=HOSTILE)
    plan["candidates"] = [{**plan["candidates"][0], "name": HOSTILE}]
    decision = bs.decide(posterior, plan)
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    bs.write_report(
        path, runs=runs, posterior=posterior, decision=decision, hidden=hidden,
        findings=bs.lint(runs), command=HOSTILE,
    )  # fmt: skip
    page, complaints = opened(browser, path, viewport={"width": 390, "height": 844})
    yield Shown(page, path, what_if(posterior, decision), decision, complaints)
    page.context.close()


def test_hostile_names_are_text_and_nothing_else(hostile: Shown) -> None:
    page = hostile.page
    hostile.press("value", "ArrowRight")
    assert page.locator("h1").text_content() == HOSTILE
    assert HOSTILE in page.locator('[data-live="sentence"]').text_content()
    assert HOSTILE in page.locator('[data-live="chance-words"]').text_content()
    assert page.locator("script").count() == 2
    assert hostile.complaints == []
    page.click("#back")


def test_a_telephone_shows_it_all_without_scrolling_sideways(hostile: Shown) -> None:
    page = hostile.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    slider = page.locator("#slider-target").bounding_box()
    assert slider["width"] > 250
    assert slider["height"] >= 24


def test_numbers_are_written_as_the_library_writes_them(hostile: Shown) -> None:
    page = hostile.page
    rng = np.random.default_rng(0)
    values = np.exp(rng.uniform(np.log(1e-6), np.log(1e13), 300)).tolist()
    values += [0.125, 1.125, 12.5, 112.5, 1125.0, 62500.0, 1.125e6, 999_499.9, 999_500.0]
    for name, write in FORMATS.items():
        own = [v / 1e13 for v in values] if name == "percent" else values
        # Nobody writes a loss, a factor or a count of a millionth.
        own = [v for v in own if v > 1e-3] if name in ("lossText", "times", "countText") else own
        own = [v for v in own if v < 9000] if name == "lossText" else own
        script = page.evaluate("([name, values]) => values.map(bayescale.words[name])", [name, own])
        assert script == [write(value) for value in own], name


def test_it_follows_the_scheme_and_prints_without_sliders(hostile: Shown) -> None:
    page = hostile.page
    grounds = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.add(
            page.evaluate("getComputedStyle(document.querySelector('header')).backgroundColor")
        )
    assert len(grounds) == 2
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.locator("#slider-target").is_hidden()
    page.emulate_media(media="screen", color_scheme="light")


def test_a_copied_address_shows_what_was_moved(hostile: Shown, browser: Any) -> None:
    hostile.press("value", "PageDown", "PageDown")
    address, said = hostile.page.url, hostile.text("net")
    assert "value=-40" in address
    other = browser.new_page()
    other.goto(address)
    assert other.locator('[data-live="net"]').text_content() == said
    other.close()
    hostile.page.click("#back")


def test_without_script_the_verdict_still_stands(browser: Any, hostile: Shown) -> None:
    page, complaints = opened(browser, hostile.path, java_script_enabled=False)
    verdict = page.locator('[data-live="verdict"]').first.text_content()
    assert verdict == hostile.decision.verdict
    assert page.locator("#slider-target").is_hidden()
    assert "breaks even" in page.locator("header").text_content()
    assert complaints == []
    page.context.close()
