"""Figures as inline SVG whose colours follow the page, light or dark."""

from __future__ import annotations

import io
import json
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from bayescale.plots import style
from bayescale.reports.content import Picture
from bayescale.runs.save import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_VARIABLES = {
    style.INK: "--ink",
    style.MUTED: "--muted",
    style.GRID: "--grid",
    style.SURFACE: "--surface",
    style.FITTED: "--fitted",
    style.FORECAST: "--forecast",
    style.ACTUAL: "--actual",
    style.TARGET: "--target",
    style.PRIOR: "--prior",
}
"""Colours of the plots and the variables of the page's style sheet that stand for them."""


def inline_svg(picture: Picture) -> Markup:
    """Return a picture as SVG markup to stand inside a page.

    The root says where its first axes lie and what they show, so that a script can draw in them.

    Parameters
    ----------
    picture : Picture
        Its name is the prefix of every id, so that pictures of one page do not share any.
    """
    ax, name = picture.draw(), picture.name
    text = _svg(ax, name)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    for color, variable in _VARIABLES.items():
        text = text.replace(color, f"var({variable})")
    box = re.search(r'viewBox="[^"]*"', text)
    assert box is not None
    places = escape(json.dumps(_places(ax)))
    head = (
        f'<svg role="img" id="picture-{name}" aria-label="{escape(picture.alt)}" {box[0]}'
        f' data-places="{places}">'
    )
    # The drawing is matplotlib's own, with letters as outlines: no name of a user stands in it.
    return Markup(head + text[text.index(">") + 1 :].strip())


def save_figure(ax: Axes, path: Path) -> Path:
    """Write the figure of some axes as PNG or SVG by the ending, whole or not at all.

    Parameters
    ----------
    ax : Axes
        Any axes of the figure.
    path : Path
        Target.
    """
    if path.suffix == ".svg":
        text = _svg(ax, path.stem)
        return write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))
    figure = style.figure_of(ax)
    return write_atomically(path, lambda part: figure.savefig(part, format="png", dpi=160))


def _svg(ax: Axes, name: str) -> str:
    from matplotlib import rc_context

    buffer = io.StringIO()
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": name}):
        style.figure_of(ax).savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _places(ax: Axes) -> dict[str, list[float | bool]]:
    """Return limits, ends in points of the drawing, and whether it is logarithmic, of each axis."""
    width, height = 72.0 * style.figure_of(ax).get_size_inches()
    box = ax.get_position()
    return {
        "x": [*ax.get_xlim(), width * box.x0, width * box.x1, ax.get_xscale() == "log"],
        "y": [
            *ax.get_ylim(), height * (1 - box.y0), height * (1 - box.y1), ax.get_yscale() == "log"
        ],
    }  # fmt: skip
