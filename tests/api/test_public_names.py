"""`import pesearch`: light, silent, and the same names for programs and for type checkers."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import pesearch
from pesearch import errors
from pesearch.store import library as store

SOURCE = ast.parse(Path(pesearch.__file__).read_text(encoding="utf-8"))


def names_for_type_checkers() -> dict[str, str]:
    """The module of each name that is imported under TYPE_CHECKING."""
    (branch,) = (node for node in SOURCE.body if isinstance(node, ast.If))
    imports = [node for node in branch.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def test_every_public_name_is_what_type_checkers_see() -> None:
    homes = names_for_type_checkers()
    assert sorted(homes) == sorted(set(pesearch.__all__) - {"__version__"})
    for name, home in homes.items():
        assert getattr(pesearch, name) is getattr(import_module(home), name), name
    assert set(pesearch.__all__) <= set(dir(pesearch))


def test_every_error_of_the_library_can_be_caught_by_name() -> None:
    known = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert known - set(pesearch.__all__) == {"ServingError", "UnknownFile"}  # of servers


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'pesearch' has no attribute 'opne'"):
        pesearch.opne  # type: ignore[attr-defined]  # noqa: B018 - the point of the test


def test_every_public_class_and_method_is_documented() -> None:
    values = [getattr(pesearch, name) for name in set(pesearch.__all__) - {"__version__", "Outcome"}]
    methods = [
        member
        for value in values
        if value.__module__.startswith("pesearch.api")
        for name, member in inspect.getmembers(value, inspect.isfunction)
        if not name.startswith("_")
    ]
    assert {pesearch.Library.search, pesearch.Moment.cut, pesearch.IndexRun.finish} <= set(methods)
    assert [each for each in (*values, *methods) if not each.__doc__] == []


def test_importing_is_light_and_a_text_query_needs_no_torch(sample_library: store.Library) -> None:
    """In a process of its own, which prints nothing but what this asks for."""
    code = (
        "import json, sys, pesearch\n"
        "light = set(sys.modules)\n"
        f"with pesearch.open({str(sample_library.folder)!r}, device='cpu') as library:\n"
        "    found = [moment.path.name for moment in library.search('siren')]\n"
        "print(json.dumps([sorted(light), sorted(sys.modules), found]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    light, searched, found = json.loads(done.stdout)
    assert {name for name in light if name.startswith("pesearch.")} == set()
    assert not {"numpy", "duckdb", "torch", "asyncio"} & set(light)
    assert not {"torch", "transformers", "pesearch.indexer.run", "streamlit", "rich", "typer"} & set(searched)
    assert "siren_train.mp4" in found
    assert done.stderr == ""
