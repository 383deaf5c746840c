"""The decision: a verdict with its numbers, its reasons and its caveats, saved whole."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, cast, get_args

from bayescale.arguments import PATH, check_arguments
from bayescale.decisions.outcomes import (
    Assumption,
    Budget,
    CandidateOutcome,
    Optimum,
    PilotOutcome,
    PilotSet,
)
from bayescale.decisions.scenario import Scenario
from bayescale.errors import DecisionError
from bayescale.runs.save import write_atomically

Verdict = Literal["FUND", "DO NOT FUND", "RUN PILOTS FIRST"]
FUND, DO_NOT_FUND, RUN_PILOTS_FIRST = get_args(Verdict)

FORMAT = 2
"""Version of the file layout; files of older versions must keep loading."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What to do, and why.

    Parameters
    ----------
    scenario : Scenario
        The question, every field resolved.
    verdict : {"FUND", "DO NOT FUND", "RUN PILOTS FIRST"}
        The answer.
    chosen : str
        Candidate with the largest expected net value; when all lose money, the one with the
        lowest break-even value.
    candidates : tuple of CandidateOutcome
        In the order of the scenario.
    pilots : tuple of PilotOutcome
        In the order of the scenario.
    evpi_usd : float
        Expected value of perfect information on the candidates' losses: no pilot is worth more.
    pilot_sets : tuple of PilotSet
        Growing sets of pilots, each worth more than the one before and than the best pilot alone.
    budget : Budget or None
        What it takes to meet the target with the probability asked for, at the chosen D/N.
    optimum : Optimum or None
        Best split of the chosen candidate's compute; None where the law does not split it.
    assumptions : tuple of Assumption
        Numbers of the plan, each with the value at which funding the chosen one breaks even.
    reasons : tuple of str
        Sentences with the numbers that led to the verdict.
    caveats : tuple of str
        Sentences with what could make the verdict wrong.
    posterior_line : str
        The posterior it rests on, in one line.
    provenance : mapping of str to str
        That of the posterior, with the seed and the number of draws of the decision.
    """

    scenario: Scenario
    verdict: Verdict
    chosen: str
    candidates: tuple[CandidateOutcome, ...]
    pilots: tuple[PilotOutcome, ...]
    evpi_usd: float
    reasons: tuple[str, ...]
    caveats: tuple[str, ...]
    posterior_line: str
    provenance: Mapping[str, str]
    pilot_sets: tuple[PilotSet, ...] = ()
    budget: Budget | None = None
    optimum: Optimum | None = None
    assumptions: tuple[Assumption, ...] = ()

    def __repr__(self) -> str:
        """Return one line: the question, the verdict, and the numbers of the chosen candidate."""
        best = self.outcome
        return (
            f"Decision on {self.scenario.title!r}: {self.verdict} ({best.name},"
            f" P(target) {best.prob_target:.2f}, cost {best.cost_usd:,.0f} USD,"
            f" expected net value {best.expected_net_value_usd:,.0f} USD)"
        )

    @property
    def outcome(self) -> CandidateOutcome:
        """Outcome of the chosen candidate."""
        return next(outcome for outcome in self.candidates if outcome.name == self.chosen)

    @property
    def every_pilot(self) -> tuple[PilotOutcome | PilotSet, ...]:
        """Pilots alone, then sets of them."""
        return (*self.pilots, *self.pilot_sets)

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as plain data; an infinite break-even value becomes None."""
        return {
            "format": FORMAT,
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "scenario": self.scenario.to_dict(),
            "candidates": [_plain(outcome) for outcome in self.candidates],
            "pilots": [_plain(outcome) for outcome in self.pilots],
            "pilot_sets": [_plain(outcome) for outcome in self.pilot_sets],
            "budget": self.budget and _plain(self.budget),
            "optimum": self.optimum and _plain(self.optimum),
            "assumptions": [asdict(assumption) for assumption in self.assumptions],
            "reasons": list(self.reasons),
            "caveats": list(self.caveats),
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "decision") -> Decision:
        """Return the decision that `to_dict` wrote.

        Raises
        ------
        DecisionError
            When something is missing, or the data are of a newer format.
        """
        found = data.get("format")
        if not isinstance(found, int) or found > FORMAT:
            raise DecisionError(
                f"{where}: format is {found!r}, expected at most {FORMAT}.", "Update bayescale."
            )
        try:
            return cls(
                scenario=Scenario.from_dict(data["scenario"], where),
                verdict=_verdict(data["verdict"], where),
                chosen=data["chosen"],
                candidates=tuple(CandidateOutcome(**_candidate(o)) for o in data["candidates"]),
                pilots=tuple(PilotOutcome(**_typed(o)) for o in data["pilots"]),
                evpi_usd=data["evpi_usd"],
                reasons=tuple(data["reasons"]),
                caveats=tuple(data["caveats"]),
                posterior_line=data["posterior_line"],
                provenance=dict(data["provenance"]),
                pilot_sets=tuple(PilotSet(**_typed(o)) for o in data.get("pilot_sets", ())),
                budget=data.get("budget") and Budget(**data["budget"]),
                optimum=data.get("optimum") and Optimum(**_typed(data["optimum"])),
                assumptions=tuple(Assumption(**a) for a in data.get("assumptions", ())),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise DecisionError(
                f"{where} is not one of ours: {error}.", "Write it again with Decision.save."
            ) from error

    def save(self, path: str | Path) -> Path:
        """Write the decision as JSON, whole or not at all, and return the path."""
        check_arguments("save", DecisionError, path=(path, PATH))
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"
        return write_atomically(Path(path), lambda part: part.write_text(text, encoding="utf-8"))


def load_decision(path: str | Path) -> Decision:
    """Read a decision written by `Decision.save`.

    Raises
    ------
    DecisionError
        When the file is missing, corrupt or no decision of ours.
    """
    check_arguments("load_decision", DecisionError, path=(path, PATH))
    where = f"decision file {str(path)!r}"
    return Decision.from_dict(read_json(Path(path), where), where)


def read_json(path: Path, where: str) -> dict[str, Any]:
    """Return the mapping that a JSON file holds.

    Raises
    ------
    DecisionError
        When the file is missing, or holds anything else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DecisionError(f"{where} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise DecisionError(f"{where} is corrupt: {error}.") from error
    if not isinstance(data, dict):
        raise DecisionError(f"{where} holds {type(data).__name__}, expected a mapping.")
    return data


def _verdict(found: str, where: str) -> Verdict:
    if found not in get_args(Verdict):
        expected = ", ".join(get_args(Verdict))
        raise DecisionError(f"{where}: verdict is {found!r}, expected one of {expected}.")
    return cast(Verdict, found)


def _plain(outcome: Any) -> dict[str, Any]:
    values = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(outcome).items()}
    return {k: None if v == math.inf else v for k, v in values.items()}


def _typed(outcome: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in outcome.items()}


def _candidate(outcome: Mapping[str, Any]) -> dict[str, Any]:
    # JSON has no infinity; only a break-even value may be one.
    values = _typed(outcome)
    if values.get("break_even_value_usd", 0.0) is None:
        values["break_even_value_usd"] = math.inf
    return values
