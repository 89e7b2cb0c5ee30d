"""Versions that do not work are named in one line, before the import that would fail."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from pesearch import installed_packages
from pesearch.errors import PackageMismatch
from pesearch.installed_packages import all_mismatches, check_packages, mismatches


def lines(*requirements: str) -> list[str]:
    return [str(each) for each in mismatches(requirements)]


def test_what_is_installed_in_the_range_is_no_mismatch() -> None:
    assert lines(f"numpy=={version('numpy')}", "pillow>=1", "torch>=2") == []


def test_a_version_outside_of_the_range_is_named_with_the_command_that_changes_it() -> None:
    (line,) = lines("numpy>=1,<2")
    assert line == f"numpy {version('numpy')} is installed, and pesearch needs <2,>=1: run `pip install 'numpy<2,>=1'`"


def test_a_missing_package_is_named() -> None:
    (line,) = lines("no-such-package-here>=3")
    assert line == (
        "no-such-package-here is not installed, and pesearch needs >=3: run `pip install 'no-such-package-here>=3'`"
    )


def test_other_platforms_and_extras_are_left_out() -> None:
    assert lines("none-a>=1; python_version < '3'", "none-b>=1; extra == 'photos'") == []


def test_faiss_may_be_that_for_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_packages, "_installed", {"faiss-gpu": "1.15.1"}.get)
    assert lines("faiss-cpu>=1.12") == []
    monkeypatch.setattr(installed_packages, "_installed", {"faiss-gpu": "1.15.1", "faiss-cpu": "1.15.1"}.get)
    monkeypatch.setattr(installed_packages, "_requirements", lambda: ("faiss-cpu>=1.12",))
    (line,) = all_mismatches()
    assert line.startswith("faiss-cpu and faiss-gpu are both installed and overwrite each other")


def test_only_packages_that_are_about_to_be_imported_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_packages, "_requirements", lambda: ("timm<0.1", "streamlit<0.1"))
    check_packages("torch", "transformers")
    with pytest.raises(PackageMismatch, match=r"^timm \S+ is installed, and pesearch needs <0.1: run"):
        check_packages("torch", "timm")


def test_this_environment_has_what_pesearch_needs() -> None:
    assert all_mismatches() == []
