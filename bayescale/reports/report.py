"""Write a report: one HTML file with everything inside, or Markdown with pictures beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bayescale.arguments import NAME, PATH, Kind, a, check_arguments, one_of, several
from bayescale.decisions.decision import Decision
from bayescale.errors import BayescaleError
from bayescale.forecasts.forecast import MAKE_ONE, Forecast
from bayescale.forecasts.held_out import HeldOut, hold_out
from bayescale.inference.source import fitted
from bayescale.reports.content import Opening, Picture, Section
from bayescale.reports.figures import save_figure
from bayescale.reports.gathered import Gathered
from bayescale.reports.live import payload
from bayescale.reports.markdown import markdown
from bayescale.reports.opening import opening
from bayescale.reports.page import page
from bayescale.reports.sections import sections
from bayescale.runs.finding import Finding
from bayescale.runs.save import MARKDOWN_ENDINGS, PAGE_ENDINGS, write_atomically
from bayescale.runs.table import read_runs

ENDINGS = PAGE_ENDINGS + MARKDOWN_ENDINGS

_FINDINGS = Kind("findings", several(one_of(Finding)), "Make them with lint(runs).")


def write_report(
    path: str | Path,
    *,
    posterior: Any,
    runs: Any = None,
    forecast: Forecast | None = None,
    decision: Decision | None = None,
    hidden: Any = None,
    findings: Sequence[Finding] = (),
    command: str = "",
    pictures: str | Path | None = None,
) -> Path:
    """Write a report for the person who decides.

    Every part but the posterior may be missing; its section is then left out.

    Parameters
    ----------
    path : str or Path
        Target; written whole or not at all. A name that ends in ``.md`` gets Markdown, one in
        ``.html`` one HTML file that needs nothing else.
    posterior : Posterior, path of a saved one, or anything `fit` takes
        The fit, or runs to fit with the recommended model first.
    runs : RunsTable, or anything `read_runs` takes, optional
        The table it comes from, before any run was hidden.
    forecast : Forecast, optional
        Further points of interest.
    decision : Decision, optional
        The verdict; without one the report is a forecast.
    hidden : HeldOut, RunsTable, or anything `read_runs` takes, optional
        Runs kept from the fit.
    findings : sequence of Finding
        What the linter said; the checks of the fit are made here.
    command : str
        The command that made the report, for whoever repeats it.
    pictures : str or Path, optional
        Folder that gets every picture as PNG and SVG. Default: none, and for Markdown
        ``report-pictures`` beside ``report.md``.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    BayescaleError
        When the name ends otherwise, or an argument is something else.
    """
    target = _target(path)
    check_arguments(
        "write_report",
        BayescaleError,
        forecast=(forecast, a(Forecast, MAKE_ONE).or_none),
        decision=(decision, a(Decision, "Make one with decide(posterior, plan).").or_none),
        findings=(findings, _FINDINGS),
        command=(command, NAME),
        pictures=(pictures, PATH.or_none),
    )
    posterior = fitted(posterior)
    if hidden is not None:
        hidden = hidden if isinstance(hidden, HeldOut) else read_runs(hidden)
    made = Gathered(
        posterior=posterior,
        runs=None if runs is None else read_runs(runs),
        forecast=forecast,
        decision=decision,
        hidden=None if hidden is None else hold_out(posterior, hidden),
        linted=findings,
        command=command,
    )
    first, rest = opening(made), sections(made)
    is_markdown = target.suffix.lower() in MARKDOWN_ENDINGS
    folder = Path(pictures) if pictures is not None else None
    if is_markdown:
        folder = folder or target.with_name(f"{target.stem}-pictures")
        text = markdown(first, rest, _relative(folder, target))
    else:
        live = payload(decision, made.question) if decision and made.question else None
        text = page(first, rest, live)
    if folder is not None:
        save_pictures(first, rest, folder)
    return write_atomically(target, lambda part: part.write_text(text, encoding="utf-8"))


def _target(path: str | Path) -> Path:
    """Return where a report is written; nothing but a report may be written over."""
    if not isinstance(path, str | Path) or not str(path).lower().endswith(ENDINGS):
        raise BayescaleError(
            f"write_report: path is {str(path)[:80]!r}, expected a name ending in"
            f" {', '.join(ENDINGS)}.",
            "The path comes first, and the fit as posterior=.",
        )
    return Path(path)


def save_pictures(first: Opening, rest: tuple[Section, ...], folder: Path) -> tuple[Path, ...]:
    """Write every picture of a report as PNG and SVG.

    Parameters
    ----------
    first : Opening
        The first screen.
    rest : tuple of Section
        Everything below it.
    folder : Path
        Made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    blocks = [first.picture, *(block for section in rest for block in section.blocks)]
    found: list[Path] = []
    for block in blocks:
        if isinstance(block, Picture):
            ax = block.draw()
            found += [save_figure(ax, folder / f"{block.name}.{kind}") for kind in ("png", "svg")]
    return tuple(found)


def _relative(folder: Path, target: Path) -> str:
    """Return how the Markdown file names the folder of its pictures."""
    try:
        return folder.resolve().relative_to(target.resolve().parent).as_posix()
    except ValueError:
        return folder.resolve().as_posix()
