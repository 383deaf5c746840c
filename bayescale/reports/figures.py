"""Figures as inline SVG whose colours follow the page, light or dark."""

from __future__ import annotations

import io
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from bayescale.plots import style
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


def inline_svg(ax: Axes, name: str, alt: str) -> Markup:
    """Return the figure of some axes as SVG markup to stand inside a page.

    Parameters
    ----------
    ax : Axes
        Any axes of the figure.
    name : str
        Prefix of every id, so that figures of one page do not share any.
    alt : str
        What a reader who cannot see the picture should know.
    """
    from matplotlib import rc_context

    buffer = io.StringIO()
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": name}):
        style.figure_of(ax).savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    for color, variable in _VARIABLES.items():
        text = text.replace(color, f"var({variable})")
    box = re.search(r'viewBox="[^"]*"', text)
    assert box is not None
    head = f'<svg role="img" aria-label="{escape(alt)}" {box[0]}>'
    # The drawing is matplotlib's own, with letters as outlines: no name of a user stands in it.
    return Markup(head + text[text.index(">") + 1 :].strip())


def save_png(ax: Axes, path: Path) -> Path:
    """Write the figure of some axes as PNG, whole or not at all.

    Parameters
    ----------
    ax : Axes
        Any axes of the figure.
    path : Path
        Target.
    """
    figure = style.figure_of(ax)
    return write_atomically(path, lambda part: figure.savefig(part, format="png", dpi=160))
