"""The same report as Markdown for a pull request, its pictures as files beside it."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from simulated_question import simulated_plan

import bayescale as bs
from bayescale.reports.gathered import Gathered
from bayescale.reports.markdown import escaped, markdown
from bayescale.reports.opening import opening
from bayescale.reports.sections import sections
from bayescale.reports.sentences import whole


@pytest.fixture(scope="module")
def written(tmp_path_factory, posterior, decision, held_out) -> Path:
    path = tmp_path_factory.mktemp("markdown") / "report.md"
    return bs.write_report(
        path, posterior=posterior, decision=decision, hidden=held_out, command="bayescale report"
    )


def test_it_holds_every_section_of_the_page(written, posterior, decision, held_out) -> None:
    text = written.read_text(encoding="utf-8")
    made = Gathered(
        posterior=posterior, runs=None, forecast=None, decision=decision, hidden=held_out,
        linted=(), command="bayescale report",
    )  # fmt: skip
    titles = [section.title for section in sections(made)]
    found = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert found == ["What would change it", *titles]
    for said in (decision.verdict, *decision.reasons, *decision.caveats):
        assert escaped(whole(said) if said in decision.caveats else said) in text


def test_every_picture_is_a_file_in_both_formats(written) -> None:
    named = re.findall(r"!\[.*?\]\((.*?)\)", written.read_text(encoding="utf-8"))
    assert len(named) == 7
    for name in named:
        for suffix in (".svg", ".png"):
            assert (written.parent / name).with_suffix(suffix).stat().st_size > 3000
    files = {path.stem for path in (written.parent / "report-pictures").iterdir()}
    assert files == {Path(name).stem for name in named}


def test_tables_have_as_many_cells_in_every_row(written) -> None:
    lines = written.read_text(encoding="utf-8").splitlines()
    for before, after in pairwise(lines):
        if before.startswith("|") and after.startswith("|"):
            assert before.count("|") == after.count("|")


HOSTILE = "<b>x</b> | `y` *z* [a](b) @team #1 $m$ ~~s~~"


def test_hostile_names_are_text(posterior) -> None:
    plan = simulated_plan(title=HOSTILE, pilots=[])
    made = Gathered(
        posterior=posterior, runs=None, forecast=None, decision=bs.decide(posterior, plan),
        hidden=None, linted=(), command="```\n" + HOSTILE,
    )  # fmt: skip
    text = markdown(opening(made), sections(made), "pictures")
    title = text.splitlines()[0]
    assert title == (
        r"# &#60;b&#62;x&#60;/b&#62; &#124; \`y\` \*z\* \[a\](b) &#64;team \#1 \$m\$ \~\~s\~\~"
    )
    assert "<b>" not in text.split("<details>")[0]


@pytest.mark.slow
def test_a_page_can_bring_its_pictures_too(tmp_path, posterior) -> None:
    bs.write_report(tmp_path / "r.html", posterior=posterior, pictures=tmp_path / "drawn")
    names = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    stems = ("coefficients", "extrapolation", "residuals")
    assert names == [f"{stem}.{kind}" for stem in stems for kind in ("png", "svg")]


def test_a_verdict_far_beyond_the_runs_says_so_on_its_first_screen(posterior, tmp_path) -> None:
    far = bs.forecast(posterior, n_params=7e11, n_tokens=1.4e13, warn=False)
    path = bs.write_report(tmp_path / "far.md", posterior=posterior, forecast=far)
    first = path.read_text(encoding="utf-8").split("\n![")[0]
    assert "times the compute of the largest fitted run" in first
    assert "Do not rest a large sum on it alone" in first
    near = bs.forecast(posterior, n_params=2e9, n_tokens=4e10, warn=False)
    path = bs.write_report(tmp_path / "near.md", posterior=posterior, forecast=near)
    assert "Do not rest a large sum" not in path.read_text(encoding="utf-8").split("\n## ")[0]


def test_the_best_split_has_the_regret_of_its_curve(written) -> None:
    lines = written.read_text(encoding="utf-8").splitlines()
    row = next(line for line in lines if line.startswith("| best by the law |"))
    assert float(row.split("|")[-2]) > 0.0
