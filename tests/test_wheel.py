"""A built wheel works outside the repository: its models, tables and templates are inside."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def _run(*command: str | Path, cwd: Path) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("BAYESCALE_", "PYTHON"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    _run(*pip, "--wheel-dir", folder, repository, cwd=folder)
    return next(folder.glob("bayescale-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the scripts of an environment with the wheel and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    scripts, site = folder / "bin", next(folder.glob("lib/python*/site-packages"))
    install = (sys.executable, "-m", "pip", "--python", scripts / "python", "install", "--quiet")
    _run(*install, "--no-deps", "--no-index", wheel, cwd=folder)
    # A .pth line only adds a path: the editable install's own .pth in there is not followed.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return scripts


def test_models_tables_and_recipes_are_inside(wheel: Path, repository: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = [*repository.glob("models/*.yaml"), *repository.glob("data/*/*/card.yaml")]
    for path in shipped:
        assert f"bayescale/_shipped/{path.relative_to(repository)}" in names
    assert "bayescale/references.bib" in names
    assert "bayescale/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


def test_the_demonstration_runs_from_the_wheel(installed: Path, repository: Path, tmp_path: Path):
    where = "import bayescale, sys; print(bayescale.__file__, *sys.path, sep='\\n')"
    found = _run(installed / "python", "-c", where, cwd=tmp_path).splitlines()
    assert found[0].startswith(str(installed.parent))
    assert str(repository) not in found
    _run(installed / "bayescale", "demo", "--out", tmp_path / "demo", cwd=tmp_path)
    assert list((tmp_path / "demo").glob("*.html"))
