"""A report as one HTML file that needs no network: pictures, draws and script are inside it."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bayescale.reports import sentences
from bayescale.reports.content import Opening, Section
from bayescale.reports.figures import inline_svg

TEMPLATES = Path(__file__).parent / "templates"

SCRIPTS = (
    "numbers",
    "normal",
    "information",
    "draws",
    "weigh",
    "words",
    "pictures",
    "sliders",
    "page",
)
"""Parts of the page's script, in order; together they are one closed function."""


def page(opening: Opening, sections: tuple[Section, ...], live: dict[str, Any] | None) -> str:
    """Return the page as text.

    Parameters
    ----------
    opening : Opening
        The first screen.
    sections : tuple of Section
        Everything below it.
    live : dict, optional
        What the sliders need; None for a page without them.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    code = script() if live is not None else ""
    return environment.get_template("report.html.j2").render(
        words=sentences,
        opening=opening,
        sections=sections,
        svg=inline_svg,
        data=None if live is None else embedded(live),
        names=set() if live is None else {slider["name"] for slider in live["sliders"]},
        script=Markup(code),
        policy=policy(code),
    )


def script() -> str:
    """Return the page's script."""
    parts = (TEMPLATES / "scripts" / f"{name}.js" for name in SCRIPTS)
    text = "\n".join(part.read_text(encoding="utf-8") for part in parts)
    return f'(() => {{\n"use strict";\n{text}}})();\n'


def embedded(data: dict[str, Any]) -> Markup:
    """Return data as JSON that can stand inside a script element, whatever names it holds."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def policy(code: str) -> str:
    """Return a content security policy: nothing is loaded, and no script but ours runs."""
    digest = base64.b64encode(hashlib.sha256(code.encode("utf-8")).digest()).decode("ascii")
    source = f"'sha256-{digest}'" if code else "'none'"
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src {source}"
