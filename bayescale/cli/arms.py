"""What `compare` prints of groups: ranking, multipliers, crossings and contrasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bayescale.cli.screen import print_frame, print_json, print_lines
from bayescale.cli.sources import number
from bayescale.errors import ModelError
from bayescale.runs.schema import N_PARAMS, N_TOKENS

if TYPE_CHECKING:
    from bayescale.inference.posterior import Posterior


def point(n_params: str | None, n_tokens: str | None) -> dict[str, Any]:
    """Return the inputs that the user named."""
    given = {N_PARAMS: ("--n-params", n_params), N_TOKENS: ("--n-tokens", n_tokens)}
    return {
        name: number(word, option) for name, (option, word) in given.items() if word is not None
    }


def refuse_without_groups(given: Mapping[str, str | None]) -> None:
    """Refuse options of a comparison of groups where models are ranked instead."""
    for option, value in given.items():
        if value is not None:
            raise ModelError(
                f"compare: {option} compares groups, but models are ranked here.",
                "Give --group, and drop --models.",
            )


def show_choice(posterior: Posterior, inputs: dict[str, Any], seed: int, as_json: bool) -> None:
    """Print everything that sets the groups of a fit apart at one point."""
    from bayescale.decisions.arms import written
    from bayescale.decisions.choose import choose

    made = choose(posterior, seed=seed, **inputs)
    if as_json:
        print_json(made.to_dict())
        return
    print_lines([repr(posterior), ""])
    at = ", ".join(f"{name} = {value:.4g}" for name, value in made.ranking.point.items())
    print_lines([f"expected loss at {at}" + ("" if inputs else ", the largest fitted run")])
    print_frame(made.ranking.to_frame())
    best = written(made.ranking.arms[0])
    print_lines(["", f"how many times its compute or tokens each arm needs to match {best}"])
    print_frame(made.worth_frame())
    if made.contrasts:
        print_lines(["", "coefficients of the best arm less those of others"])
        print_frame(made.to_frame())
    print_lines(["", made.sentences[0], *(f"! {caveat}" for caveat in made.caveats)])
