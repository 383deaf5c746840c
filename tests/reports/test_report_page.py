"""The page: what it says is what the decision says, and it needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from simulated_question import simulated_frame, simulated_plan, simulated_runs

import bayescale as bs
from bayescale.decisions.scenario import Scenario
from bayescale.forecasts.reliability import reliability
from bayescale.forecasts.sensitivity import sensitivity
from bayescale.reports import numbers, opening, tables
from bayescale.reports.gathered import Gathered
from bayescale.reports.markdown import markdown
from bayescale.reports.sections import sections
from bayescale.reports.sentences import whole
from bayescale.runs.finding import Finding
from bayescale.runs.lint import lint

VOID = {"meta", "link", "img", "br", "hr", "input", "use", "path"}


class Page(HTMLParser):
    """Text, attributes that load something, ids and unclosed tags of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.words: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "srcset", "action", "data"):
                self.loads.append(value)
            if name == "id":
                self.ids.append(value)

    def handle_startendtag(self, tag, attrs) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="session")
def page(tmp_path_factory, posterior, decision, held_out) -> Page:
    runs = simulated_runs()
    path = tmp_path_factory.mktemp("report") / "report.html"
    command = "bayescale report runs.csv --plan plan.yaml"
    written = bs.write_report(
        path, runs=runs, posterior=posterior, decision=decision, hidden=held_out.runs,
        findings=lint(runs), command=command,
    )  # fmt: skip
    assert written == path
    return Page(path)


def test_verdict_and_numbers_are_the_decisions(page, decision) -> None:
    best = decision.outcome
    low, high = best.loss_interval_90
    for wanted in (
        decision.verdict,
        decision.scenario.title,
        numbers.percent(best.prob_target),
        numbers.loss(best.loss_median),
        f"90 % between {numbers.loss(low)} and {numbers.loss(high)}",
        numbers.money(best.expected_net_value_usd),
        numbers.usd(best.break_even_value_usd),
        numbers.usd(best.break_even_price_usd_per_gpu_hour),
        numbers.usd(decision.evpi_usd),
        numbers.money(decision.pilots[0].net_gain_usd),
        *decision.reasons,
        *map(whole, decision.caveats),
        *(outcome.name for outcome in decision.candidates),
    ):
        assert wanted in page.text, wanted


def test_hidden_runs_are_counted(page, held_out) -> None:
    inside = int(held_out.inside(0.9).sum())
    assert f"{inside} of {len(held_out)} hidden runs" in page.text


def test_provenance_names_what_a_reader_needs_to_repeat_it(page, posterior, decision) -> None:
    for value in (*posterior.provenance.values(), *decision.provenance.values()):
        assert value in page.text
    assert "bayescale report runs.csv --plan plan.yaml" in page.text
    assert simulated_runs().fingerprint in page.text


def test_findings_come_with_their_recommendation(page) -> None:
    for finding in lint(simulated_runs()):
        assert finding.check in page.text
        assert re.sub(r"\s+", " ", finding.recommendation) in page.text


def test_checks_of_the_fit_stand_beside_the_linters(page, posterior) -> None:
    for finding in bs.check_posterior(posterior):
        assert finding.check in page.text
    assert page.text.count("Every loss lies in the central 99 %") == 1


def test_page_says_how_the_answer_moves(page, posterior, decision) -> None:
    inputs = {name: [value] for name, value in decision.outcome.inputs.items()}
    made = sensitivity(posterior, bs.forecast(posterior, **inputs), seed=0)
    shown = page.text.split("How the answer moves")[1].split("Checks")[0]
    for _, row in made.iterrows():
        assert row["variant"] in shown
        assert f"{100 * np.expm1(row['shift']):+.1f} %" in shown
    moved = sensitivity(posterior, bs.forecast(posterior, **inputs), below=2.2)
    assert moved["prob_below"][0] == pytest.approx(decision.outcome.prob_target)
    rows = tables.sensitivity(moved, decision).rows
    worth, cost = decision.scenario.value_usd, decision.outcome.cost_usd
    assert [row[-1] for row in rows] == [
        "pays" if worth * chance > cost else "loses" for chance in moved["prob_below"]
    ]
    assert f"{rows[1][-2]} {rows[1][-1]}" in shown


def test_page_loads_nothing(page) -> None:
    assert all(target.startswith("#") for target in page.loads)
    named = re.sub(r'xmlns\S*="[^"]*"|"http://www.w3.org/2000/svg"', "", page.source)
    assert not re.search(r"https?://|@import|url\((?!#)", named)


def test_page_runs_its_own_script_alone(page) -> None:
    (code,) = re.findall(r"<script>(.*?)</script>", page.source, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page.source)
    assert html.unescape(policy[1]) == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )


def test_page_fits_into_a_mail(page) -> None:
    assert len(page.source) < 4e6


def test_sections_come_in_the_order_of_a_readers_questions(page) -> None:
    titles = [
        "What would change it", "Reasons", "What could make it wrong",
        "What the candidates may reach", "Probability against budget", "Parameters against tokens",
        "Pilots", "Where the answer turns", "What happened to the hidden runs",
        "How the answer moves", "Checks", "Tables like yours", "Groups and pooling",
        "Coefficients", "Assumptions", "Units", "Provenance and how to reproduce",
    ]  # fmt: skip
    found = re.findall(r"<h[23]>([^<]+)</h[23]>", page.source)
    assert [title for title in found if title in titles] == titles


def test_the_plan_on_the_page_is_the_plan(page, decision) -> None:
    (text,) = re.findall(r"<pre[^>]*><code>(.*?)</code>", page.source, flags=re.DOTALL)
    again = Scenario.from_dict(yaml.safe_load(html.unescape(text)))
    assert again == decision.scenario


def test_tables_like_this_one_stress_the_row_of_its_factor(page, decision, posterior) -> None:
    found = reliability(posterior.spec.name, decision.outcome.extrapolation_factor)
    assert found is not None
    row = re.search(
        rf'<tr class="chosen"><td class="text">{found.cell}</td>(.*?)</tr>', page.source
    )
    assert f"<td>{found.held}</td>" in row[1]


def _luminance(color: str) -> float:
    shares = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_words_stand_out_from_what_they_stand_on(page) -> None:
    # WCAG 2.2, success criterion 1.4.3: 4.5 for text.
    schemes = re.findall(r":root \{(.*?)\}", page.source, flags=re.DOTALL)
    assert len(schemes) == 3
    for scheme in schemes:
        colors = dict(re.findall(r"--(\w+): (#\w{6}|#\w{3})\b", scheme))
        colors = {
            k: v if len(v) == 7 else "#" + "".join(2 * c for c in v[1:]) for k, v in colors.items()
        }
        for ground in ("surface", "page"):
            for words in ("ink", "muted", "good", "bad", "wait", "plain", "target"):
                light = sorted([_luminance(colors[ground]), _luminance(colors[words])])
                assert (light[1] + 0.05) / (light[0] + 0.05) > 4.5, (words, ground, colors[words])


def test_page_is_well_formed_with_unique_ids_and_words_for_pictures(page) -> None:
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    labels = re.findall(r'<svg role="img" id="[\w-]+" aria-label="([^"]+)"', page.source)
    assert len(labels) == page.tags.count("svg") == 7


def test_page_follows_light_and_dark(page) -> None:
    assert "prefers-color-scheme: dark" in page.source
    assert "var(--forecast)" in page.source
    assert "@media print" in page.source


HOSTILE = '<script>alert("1")</script>\' onload="x"'


def test_hostile_names_stand_as_text(tmp_path) -> None:
    frame = simulated_frame()
    frame["run_id"] = HOSTILE
    runs = bs.read_runs(frame, name=HOSTILE)
    fitted, hidden = runs.hide_largest(30)
    posterior = bs.fit(fitted)
    plan = simulated_plan(title=HOSTILE)
    plan["candidates"] = [{**plan["candidates"][0], "name": HOSTILE}]
    found = bs.write_report(
        tmp_path / "r.html", runs=runs, posterior=posterior, decision=bs.decide(posterior, plan),
        hidden=hidden, findings=[Finding(HOSTILE, "REVIEW", HOSTILE, HOSTILE)], command=HOSTILE,
    )  # fmt: skip
    page = Page(found)
    # The draws and the page's own; neither is opened or closed by a name.
    assert page.tags.count("script") == page.source.count("</script>") == 2
    assert page.text.count(HOSTILE) > 10


def test_posterior_alone_gives_a_forecast_report(tmp_path, posterior) -> None:
    page = Page(bs.write_report(tmp_path / "r.html", posterior=posterior))
    assert "FORECAST" in page.text
    assert "10x" in page.text
    assert "What the candidates may reach" not in page.text
    assert "hidden runs" not in page.text


def words(posterior: bs.Posterior, **parts: Any) -> str:
    """Return what a report says, no picture drawn."""
    nothing = dict.fromkeys(("runs", "forecast", "decision", "hidden"))
    made = Gathered(posterior=posterior, **{**nothing, "linted": (), "command": "", **parts})
    text = markdown(opening.opening(made), sections(made), "pictures")
    return html.unescape(text.replace("\\", ""))


def test_forecast_without_a_decision_lists_its_points(posterior) -> None:
    forecast = bs.forecast(posterior, n_params=[1e9, 7e9], n_tokens=[2e10, 1.4e11])
    said = words(posterior, forecast=forecast)
    assert numbers.loss(float(forecast.median[1])) in said
    assert "n_params = 7B, n_tokens = 140B" in said
    assert forecast.reliability[1][1:] in said


def test_plan_without_pilots_says_so(posterior) -> None:
    decision = bs.decide(posterior, simulated_plan(pilots=[]))
    assert "The plan names no pilot." in words(posterior, decision=decision)


def test_a_target_out_of_reach_has_no_break_even_value(posterior) -> None:
    decision = bs.decide(posterior, simulated_plan(target={"loss": 0.01}))
    said = words(posterior, decision=decision)
    assert "DO NOT FUND" in said
    assert not re.search(r"\b(inf|nan)\b", said.split("## Reasons")[0])


def test_groups_are_named() -> None:
    frame = simulated_frame()
    frame["dataset"] = ["c4", "pile"] * (len(frame) // 2)
    with pytest.warns(bs.errors.PoolingWarning, match="2 groups"):
        posterior = bs.fit(frame, group="dataset", pooling="none")
    plan = simulated_plan(pilots=[])
    plan["candidates"] = [{**plan["candidates"][0], "group": {"dataset": "pile"}}]
    said = words(posterior, decision=bs.decide(posterior, plan))
    assert "2 groups" in said
    assert "pile" in said


def test_a_failed_write_leaves_the_old_report(tmp_path, posterior, monkeypatch) -> None:
    path = tmp_path / "r.html"
    path.write_text("old")

    def broken(*_: object) -> str:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(OSError, match="disk full"):
        bs.write_report(path, posterior=posterior)
    assert [found.name for found in tmp_path.iterdir()] == ["r.html"]
    assert path.read_text() == "old"


def test_a_plan_of_too_many_runs_has_a_page_without_sliders(
    tmp_path, posterior, monkeypatch
) -> None:
    monkeypatch.setattr("bayescale.reports.gathered.MOST_RUNS", 1)
    decision = bs.decide(posterior, simulated_plan())
    page = Page(bs.write_report(tmp_path / "r.html", posterior=posterior, decision=decision))
    assert "script" not in page.tags
    assert "input" not in page.tags
    assert "script-src &#39;none&#39;" in page.source
    assert f"breaks even at {numbers.usd(decision.outcome.break_even_value_usd)}" in page.text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"price": {"usd_per_gpu_hour": 0, "peak_flops": 989e12, "mfu": 0.4}}, "no price near"),
        ({"target": {"loss": 0.5}}, "no size of it in reach has a chance of 90 %"),
        ({"pilots": []}, "The plan names none"),
    ],
)
def test_what_never_turns_is_said_so(posterior, changes, said) -> None:
    found = opening.changes(bs.decide(posterior, simulated_plan(**changes)))
    assert any(said in change.words for change in found)
