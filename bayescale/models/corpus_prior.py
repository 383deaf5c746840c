"""Learned corpus priors: designs, their scores by family, and averages that leave families out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bayescale.errors import ModelError, UnknownNameError

Floats = np.ndarray[Any, np.dtype[np.float64]]

BEST = 40
"""Designs that are averaged: the single best one is mostly luck."""


@dataclass(frozen=True, eq=False)
class Line:
    """What a search along one number found, all others as they were learned.

    Parameters
    ----------
    column : int
        The number, as a column of the designs.
    steps : array, shape (m,)
        Added to its average, on the transformed scale of the search.
    gains : array, shape (m, number of families)
        As those of `CorpusPrior`: every family scored at the average that leaves it out.
    """

    column: int
    steps: Floats
    gains: Floats

    def best(self, kept: Sequence[int]) -> float:
        """Return the vertex of the parabola through the mean gain of some families.

        A vertex and not the best step: the gains of neighbours differ by less than their noise. It
        stays within the steps.
        """
        curvature, slope, _ = np.polyfit(self.steps, self.gains[:, kept].mean(axis=1), 2)
        if curvature >= 0.0:
            return float(self.steps[0] if slope < 0.0 else self.steps[-1])
        return float(np.clip(-0.5 * slope / curvature, self.steps.min(), self.steps.max()))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "column": self.column,
            "steps": np.round(self.steps, 5).tolist(),
            "gains": np.round(self.gains, 5).tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Line:
        """Build from plain data."""
        return cls(int(data["column"]), np.array(data["steps"]), np.array(data["gains"]))


@dataclass(frozen=True, eq=False)
class CorpusPrior:
    """What a search over a corpus found.

    Parameters
    ----------
    designs : array, shape (n, number of hyperparameters)
        On the transformed scale of the search.
    gains : array, shape (n, number of families)
        Robust log score minus log CRPS relative to the usual practice; higher is better.
    families : tuple of str
        Columns of `gains`.
    provenance : mapping
        Command, date, hashes of the tables, CPU seconds, versions.
    line : Line, optional
        A last search along one number.
    """

    designs: Floats
    gains: Floats
    families: tuple[str, ...]
    provenance: Mapping[str, Any]
    line: Line | None = None

    @classmethod
    def of(
        cls,
        designs: Floats,
        scores: Floats,
        families: Sequence[str],
        baseline: Mapping[str, float],
        provenance: Mapping[str, Any],
    ) -> CorpusPrior:
        """Build from raw scores.

        Parameters
        ----------
        designs : array, shape (n, h)
            Designs tried.
        scores : array, shape (n, f, 2)
            Robust log score and CRPS of each design on each family.
        families : sequence of str
            The f families.
        baseline : mapping of str to float
            CRPS of the usual practice on each family.
        provenance : mapping
            How it was made.
        """
        usual = np.array([baseline[family] for family in families])
        gains = gain(scores[:, :, 0], scores[:, :, 1], usual)
        return cls(designs, gains, tuple(families), provenance)

    def average(self, without: Collection[str] = ()) -> Floats:
        """Return the mean of the best designs, moved along the line; left-out families are unheard.

        Parameters
        ----------
        without : collection of str
            Families that must not have a say.

        Raises
        ------
        UnknownNameError
            For a family that the corpus does not hold.
        """
        for name in without:
            if name not in self.families:
                raise UnknownNameError("family", name, self.families, "corpus prior")
        kept = [k for k, family in enumerate(self.families) if family not in without]
        order = np.argsort(-self.gains[:, kept].mean(axis=1))
        design = np.asarray(self.designs[order[:BEST]].mean(axis=0))
        if self.line is not None:
            design[self.line.column] += self.line.best(kept)
        return design

    def with_line(self, line: Line, provenance: Mapping[str, Any]) -> CorpusPrior:
        """Return the prior after a search along one number; `provenance` says how it was made."""
        return replace(self, line=line, provenance={**self.provenance, "line": dict(provenance)})

    @property
    def hash(self) -> str:
        """First 16 hex digits of the SHA-256 of designs, gains, families and line."""
        return hashlib.sha256(self._content().encode()).hexdigest()[:16]

    def _content(self) -> str:
        content: dict[str, Any] = {
            "families": list(self.families),
            "designs": np.round(self.designs, 5).tolist(),
            "gains": np.round(self.gains, 5).tolist(),
        }
        if self.line is not None:
            content["line"] = self.line.to_dict()
        return json.dumps(content)

    def save(self, path: Path) -> Path:
        """Write the prior as JSON with its hash."""
        content = {"hash": self.hash, "provenance": dict(self.provenance)}
        path.write_text(json.dumps({**content, **json.loads(self._content())}), encoding="utf-8")
        return path


def gain(log_score: Floats, crps: Floats, usual: Floats) -> Floats:
    """Return log scores minus log CRPS relative to that of the usual practice; higher is better."""
    return np.asarray(log_score - np.log(crps / usual))


def load_corpus_prior(path: Path) -> CorpusPrior:
    """Read a corpus prior.

    Raises
    ------
    ModelError
        When the file cannot be read, or its content is not what its hash says.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        prior = CorpusPrior(
            np.array(content["designs"], dtype=float),
            np.array(content["gains"], dtype=float),
            tuple(content["families"]),
            content["provenance"],
            Line.from_dict(content["line"]) if "line" in content else None,
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"corpus prior {path.name!r} cannot be read: {error}.") from error
    if prior.hash != content["hash"]:
        raise ModelError(
            f"corpus prior {path.name!r} has hash {prior.hash}, expected {content['hash']}.",
            "Restore the file, or learn it again with benchmarks/learn_prior.py.",
        )
    return prior
