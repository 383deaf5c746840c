"""Make the small folder that goes to a GPU machine: compressed corpora and resolved plans.

    python benchmarks/gpu_pack.py [PLAN.yaml ...] [--out gpu-pack]

The plans are those of ``sweeps/gpu_*.yaml`` when none is named. Corpora are built into the cache if
they are not there: minutes of CPU and 180 MB of downloads the first time.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bayescale.errors import BayescaleError, HarnessError
from bayescale.harness.config import ZIPF_FACTS
from bayescale.harness.corpora import build_corpus
from bayescale.harness.packing import META, pack_corpus
from bayescale.harness.plan import SweepPlan
from bayescale.harness.plan_file import load_plan
from bayescale.harness.resolution import resolve
from bayescale.harness.runs_file import write_whole

SWEEPS = Path(__file__).parent / "sweeps"
LIMIT = 60_000_000
"""Bytes of the whole folder."""


def pack(paths: list[Path], out: Path) -> int:
    """Write the folder and return its size in bytes."""
    hashes = {ZIPF_FACTS: ""}
    for path in paths:
        plan = load_plan(path)
        for arm in plan.arms:
            if arm.corpus not in hashes:
                hashes[arm.corpus] = _packed(arm.corpus, out)
            name = _name(plan, arm)
            resolved = resolve(arm, hashes[arm.corpus], name)
            write_whole(out / f"{name}.json", resolved.to_json())
            print(f"{name}: {len(resolved.trials)} trials, {len(resolved.units)} sizes")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    if size > LIMIT:
        raise HarnessError(
            f"packed folder {out.name!r}: it has {size / 1e6:.1f} MB, more than {LIMIT / 1e6:.0f}.",
            "Pack fewer plans at once.",
        )
    return size


def _packed(corpus: str, out: Path) -> str:
    """Pack one corpus and return the hash of its tokens."""
    folder = build_corpus(corpus)
    meta = json.loads((folder / META).read_text())
    size = pack_corpus(folder, out / corpus)
    print(f"{corpus}: {meta['n_tokens']} tokens, {size / 1e6:.1f} MB")
    return str(meta["sha256"])


def _name(plan: SweepPlan, arm: SweepPlan) -> str:
    """Return the name of an arm: the plan's, and what tells its arms apart."""
    parts = [arm.corpus] if plan.corpora else []
    parts += [arm.architecture] if plan.architectures else []
    return "_".join([plan.name, *parts])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("plans", nargs="*", type=Path, default=sorted(SWEEPS.glob("gpu_*.yaml")))
    parser.add_argument("--out", type=Path, default=Path("gpu-pack"))
    asked = parser.parse_args()
    try:
        size = pack(asked.plans, asked.out)
    except BayescaleError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"wrote {asked.out}: {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
