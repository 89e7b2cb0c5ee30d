"""mypy --strict knows the public interface from the wheel, and from the environment of `make setup`: it passes for the
code of docs/python.md, and finds mistakes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from requirements.install import add_source_path
from tests.api.test_python_docs import BLOCKS

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = Path(sysconfig.get_path("purelib"))

MISTAKES = """\
import pesearch

pesearch.open(1)
pesearch.opne("library")
for moment in pesearch.open("library").search("siren", kind="film"):
    print(moment.strat_seconds)
"""
ERRORS = ("[arg-type]", "[attr-defined]", "[arg-type]", "[attr-defined]")


def install_wheel(python: Path) -> None:
    """Build the wheel, without the weights of the starter set, and unpack it."""
    site_packages, source = packages_of(python), python.parents[1] / "source"
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    for folder in {Path(folder).parts[0] for folder in settings["package-dir"].values()}:
        ignored = shutil.ignore_patterns("__pycache__", "starter")
        shutil.copytree(ROOT / folder, source / folder, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    code = "import setuptools.build_meta as build; build.build_wheel('dist')"
    (source / "dist").mkdir()
    subprocess.run([sys.executable, "-c", code], cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site_packages)


def packages_of(python: Path) -> Path:
    return next((python.parents[1] / "lib").glob("python*/site-packages"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy knows of NumPy, for both tests."""
    return tmp_path_factory.mktemp("mypy_cache")


@pytest.mark.slow
@pytest.mark.parametrize("install", [install_wheel, add_source_path], ids=["wheel", "make setup"])
def test_programs_are_checked(install: Callable[[Path], None], tmp_path: Path, cache: Path) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    (packages_of(python) / "numpy").symlink_to(PACKAGES / "numpy")  # the only dependency in public signatures
    install(python)
    (tmp_path / "documented.py").write_text("\n".join(BLOCKS), encoding="utf-8")
    (tmp_path / "mistaken.py").write_text(MISTAKES, encoding="utf-8")
    programs = ("documented.py", "mistaken.py")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")}
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "--cache-dir", cache, *programs],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    errors = [line for line in checked.stdout.splitlines() if ": error: " in line]
    assert [(line.partition(":")[0], line.split()[-1]) for line in errors] == [("mistaken.py", code) for code in ERRORS]
