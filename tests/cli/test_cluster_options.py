"""`pesearch index` with options for Ray and Milvus that cannot work here: one line says what to do, and no library is
created. Working clusters: tests/indexer/cluster."""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.library import Library, open_library
from tests.cli.conftest import Run, one_line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ray", "auto"], "--ray needs Ray, which is not installed: pip install 'pesearch[cluster]'"),
        (["--ray", "auto", "--watch"], "--watch and --ray cannot be combined"),
        (["--staging", "file:///tmp"], "--staging is where Ray workers put their results: add --ray"),
    ],
)
def test_ray_is_not_installed_or_its_options_exclude_each_other(
    pesearch: Run, tmp_path: Path, sample_media: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    result = pesearch("index", sample_media, "--model", "starter", "--library", tmp_path / "library", *options)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in one_line(result.stderr)
    assert not (tmp_path / "library").exists()


@pytest.mark.parametrize("uri", ["lite.db", "http://127.0.0.1:9"])
def test_milvus_is_not_installed(
    pesearch: Run, tmp_path: Path, sample_media: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    for name in ("pymilvus", "milvus_lite", "grpc"):
        monkeypatch.setitem(sys.modules, name, None)
    folder = tmp_path / "current"
    folder.mkdir()
    monkeypatch.chdir(folder)
    result = pesearch("index", sample_media, "--model", "starter", "--library", "new", "--vectors", f"milvus:{uri}")
    assert (result.returncode, list(folder.iterdir())) == (2, [])
    assert "pip install 'pesearch[cluster]'" in one_line(result.stderr)


def test_milvus_is_an_extra(sample_media: Path) -> None:
    """None of its packages belongs to the base install."""
    project = tomllib.loads((sample_media.parent / "pyproject.toml").read_text())["project"]
    assert {"pymilvus", "milvus-lite"} <= {
        line.partition(">")[0] for line in project["optional-dependencies"]["cluster"]
    }
    assert not [line for line in project["dependencies"] if "milvus" in line]


def test_milvus_is_unreachable(pesearch: Run, tmp_path: Path, sample_media: Path) -> None:
    pytest.importorskip("pymilvus")
    command = ("index", sample_media, "--model", "starter", "--library", tmp_path / "new")
    result = pesearch(*command, "--vectors", "milvus:http://127.0.0.1:9")
    assert result.returncode == 2
    assert "--vectors faiss" in one_line(result.stderr)
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_vectors_move_to_milvus_and_back(pesearch: Run, sample_library: Library, tmp_path: Path) -> None:
    """Search finds the same moments in between; without paths nothing is indexed."""
    pytest.importorskip("milvus_lite")
    library = tmp_path / "library"
    shutil.copytree(sample_library.folder, library)
    at = ("--library", library)
    before = json.loads(pesearch("query", "siren", "--json", *at).stdout)
    moved = pesearch("index", "--vectors", f"milvus:{tmp_path}/lite.db", *at)
    assert (moved.returncode, moved.stdout) == (0, ""), moved.stderr
    assert moved.stderr.startswith("vectors: frame: ")
    assert open_library(library).milvus == MilvusAddress(f"{tmp_path}/lite.db")
    doctor = pesearch("doctor", *at)
    assert doctor.returncode == 0, doctor.stdout
    assert f"ok       milvus   milvus:{tmp_path}/lite.db: version " in doctor.stdout
    assert json.loads(pesearch("query", "siren", "--json", *at).stdout)["moments"] == before["moments"]
    assert pesearch("index", "--vectors", "faiss", *at).returncode == 0
    assert open_library(library).milvus is None
