"""The import law of the corridor, and what importing the package may not bring along."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOMS = ("runs", "laws", "models", "inference", "forecasts", "decisions", "reports")
PACKAGE = Path(__file__).resolve().parents[1] / "bayescale"

SAMPLERS = {"arviz", "arviz_base", "arviz_plots", "arviz_stats", "nutpie", "pymc", "pytensor"}
JOINERS = {"cli", "live", "loop", "stop_against", "demo", "demo_output"}
"""Modules and folders beside the rooms that may import any of them."""

BARE = {
    "architectures",
    "attention_logits",
    "budget",
    "checked",
    "config",
    "data",
    "device_counter",
    "divergence",
    "documents",
    "engine",
    "estimate",
    "evaluate",
    "job",
    "kernels",
    "locks",
    "measure",
    "mixer_options",
    "noise_scale",
    "optim",
    "packing",
    "pool",
    "probes",
    "resident",
    "resolved",
    "resolved_plan",
    "runs_file",
    "schedule",
    "stacking",
    "steps",
    "tally",
    "train",
    "tuning",
}
"""Parts of the harness that run on a machine with PyTorch, NumPy and little else."""

VAGUE = {"utils", "helpers", "common", "misc", "manager"}


@dataclass(frozen=True)
class Import:
    """One import statement: who imports what, and inside which function."""

    path: Path
    line: int
    target: str
    function: str

    @property
    def parts(self) -> tuple[str, ...]:
        return self.path.relative_to(PACKAGE).with_suffix("").parts

    @property
    def room(self) -> str:
        return self.parts[0]

    @property
    def target_room(self) -> str:
        names = self.target.split(".")
        return names[1] if names[0] == "bayescale" and len(names) > 1 else ""

    @property
    def package(self) -> str:
        return self.target.split(".")[0]

    def __str__(self) -> str:
        return f"{self.path.relative_to(PACKAGE.parent)}:{self.line} imports {self.target}"


def _imports_of(node: ast.AST, path: Path, function: str = "") -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.FunctionDef) else function
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(path, child.lineno, alias.name, function)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{path}:{child.lineno} imports relatively"
            for alias in child.names:
                yield Import(path, child.lineno, f"{child.module}.{alias.name}", function)
        yield from _imports_of(child, path, inside)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _imports() -> tuple[Import, ...]:
    files = sorted(PACKAGE.rglob("*.py"))
    return tuple(found for path in files for found in _imports_of(_tree(path), path))


def _listed(faults: list[Import]) -> str:
    return "\n".join(map(str, faults))


def test_rooms_import_upstream_only():
    order = {room: position for position, room in enumerate(ROOMS)}
    faults = [
        found
        for found in _imports()
        if found.room in order and order.get(found.target_room, -1) > order[found.room]
    ]
    assert not faults, _listed(faults)


def test_plots_are_imported_by_reports_and_plot_methods_only():
    faults = [
        found
        for found in _imports()
        if found.target_room == "plots"
        and found.room not in {"plots", "reports", *JOINERS}
        and not found.function.startswith("plot")
    ]
    assert not faults, _listed(faults)


def test_plots_know_nothing_downstream():
    faults = [i for i in _imports() if i.room == "plots" and i.target_room in {"reports", *JOINERS}]
    assert not faults, _listed(faults)


def test_only_models_and_inference_import_pymc():
    faults = [
        found
        for found in _imports()
        if found.package in SAMPLERS and found.room not in {"models", "inference"}
    ]
    assert not faults, _listed(faults)


def test_only_the_harness_imports_pytorch():
    faults = [i for i in _imports() if i.package == "torch" and i.room != "harness"]
    assert not faults, _listed(faults)


def test_harness_knows_only_the_schema_the_conventions_and_the_errors():
    faults = [
        found
        for found in _imports()
        if found.room == "harness"
        and found.package == "bayescale"
        and found.target_room not in {"errors", "harness"}
        and not found.target.startswith(("bayescale.runs.schema", "bayescale.runs.flops"))
    ]
    assert not faults, _listed(faults)


def test_bare_parts_of_the_harness_need_pytorch_and_numpy_only():
    # fla is asked for inside one function, by those who want its kernels.
    allowed = {*sys.stdlib_module_names, "torch", "numpy", "bayescale", "fla"}
    faults = [
        found
        for found in _imports()
        if found.room == "harness" and found.parts[1] in BARE and found.package not in allowed
    ]
    assert not faults, _listed(faults)


def test_nothing_in_the_corridor_imports_the_harness():
    faults = [
        found
        for found in _imports()
        if found.target_room == "harness"
        and found.room not in {"harness", "cli", "live", "loop", "stop_against"}
    ]
    assert not faults, _listed(faults)


def test_no_module_has_a_vague_name():
    assert not [path for path in PACKAGE.rglob("*.py") if path.stem in VAGUE]


def test_no_function_shares_the_name_of_a_subpackage():
    subpackages = {path.name for path in PACKAGE.rglob("*") if path.is_dir()}
    faults = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} defines {node.name}"
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "cli"  # there a function is called what its verb is called
        for node in _tree(path).body
        if isinstance(node, ast.FunctionDef) and node.name in subpackages
    ]
    assert not faults, "\n".join(faults)


def _modules_after(code: str) -> set[str]:
    script = f"{code}\nimport sys; print('MODULES', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rsplit("MODULES", 1)[1].split())


def test_importing_the_package_is_light():
    loaded = _modules_after("import bayescale; dir(bayescale)")
    assert not loaded & {"pymc", "torch", "pandas", "numpy", "arviz", "matplotlib"}


FORECAST_PATH = """
import bayescale as bs
runs = {runs!r}
posterior = bs.fit(runs)
bs.forecast(posterior, n_params=1e10, n_tokens=2e11).interval(0.9)
bs.allocate(posterior, flops=1e22)
bs.decide(posterior, {plan!r})
"""


@pytest.mark.parametrize("unwanted", ["pymc", "pytensor", "nutpie", "arviz", "torch", "matplotlib"])
def test_forecast_and_decision_need_no_sampler(unwanted, modules_of_the_forecast_path):
    assert unwanted not in modules_of_the_forecast_path


@pytest.fixture(scope="module")
def modules_of_the_forecast_path(runs_file: Path, plan_file: Path) -> set[str]:
    return _modules_after(FORECAST_PATH.format(runs=str(runs_file), plan=str(plan_file)))
