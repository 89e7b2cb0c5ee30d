"""Downloads of model sets: the question, and what happens without room, without a terminal, and without a yes."""

from __future__ import annotations

import io
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import constants

from pesearch.cli import model_download
from pesearch.encoders import hub
from pesearch.encoders.model_registry import MODEL_SETS, ModelSetDescription, describe
from tests.cli.conftest import Run, one_line
from tests.indexer.trees import public_folder, without_rights

GIGABYTE = 10**9


@pytest.fixture
def pulled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the sets that would be downloaded."""
    names: list[str] = []

    def record(description: ModelSetDescription, announce: object) -> None:
        names.append(description.name)

    monkeypatch.setattr(hub, "pull", record)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=300 * GIGABYTE))
    return names


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Somebody at a terminal types `text`."""
    monkeypatch.setattr(model_download, "can_ask", lambda: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


@pytest.mark.parametrize(("typed", "code", "is_pulled"), [("y\n", 0, True), ("n\n", 1, False), ("", 1, False)])
def test_pull_asks_with_the_size_and_the_free_room(
    pesearch: Run,
    pulled: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    typed: str,
    code: int,
    is_pulled: bool,
) -> None:
    """No answer, as after Ctrl-D, is a no."""
    answer(monkeypatch, typed)
    result = pesearch("models", "pull", "light")
    assert (result.returncode, result.stdout, pulled) == (code, "", ["light"] * is_pulled)
    assert f"{tmp_path}/models/hub has 300.00 GB free.\nDownload 6.95 GB? [y/N] " in result.stderr
    assert result.stderr.endswith("nothing was downloaded\n") == (not is_pulled)


def test_pull_without_a_terminal_asks_for_yes(pesearch: Run, pulled: list[str]) -> None:
    result = pesearch("models", "pull", "light")
    assert (result.returncode, pulled) == (2, [])
    assert one_line(result.stderr) == (
        "pesearch: nothing was downloaded: add --yes to download 6.95 GB without being asked."
    )
    assert "[y/N]" not in result.stderr
    assert pesearch("models", "pull", "light", "--yes").returncode == 0
    assert pulled == ["light"]


def test_without_room_for_all_models_nothing_is_asked(
    pesearch: Run, pulled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for the first model, but not for all three."""
    answer(monkeypatch, "y\n")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * GIGABYTE))
    result = pesearch("models", "pull", "light")
    assert (result.returncode, pulled) == (2, [])
    assert "6.95 GB are needed, but" in one_line(result.stderr) and "3.00 GB free" in result.stderr
    assert "[y/N]" not in result.stderr


@pytest.mark.parametrize(("typed", "pulls"), [("y\n", ["light"]), ("n\n", [])])
def test_index_offers_the_models_that_it_lacks(
    pesearch: Run, pulled: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, typed: str, pulls: list[str]
) -> None:
    answer(monkeypatch, typed)
    result = pesearch("index", tmp_path, "--model", "light", "--library", tmp_path / "library")
    assert (result.returncode, pulled) == (2, pulls)  # after a yes too: what is pulled here installs nothing
    first, *_ = result.stderr.splitlines()
    assert first == "The model set light is not on this machine. Try pesearch without a download: `pesearch demo`."
    assert "Download 6.95 GB? [y/N] " in result.stderr
    assert "starter" not in result.stderr
    assert not (tmp_path / "library").exists()


def test_a_revision_that_is_not_pinned_is_named(pesearch: Run, pulled: list[str]) -> None:
    """That of PE-A-Frame base alone."""
    branches = [source.repo for each in MODEL_SETS.values() for source in each.sources if not source.is_pinned]
    assert branches == ["facebook/pe-a-frame-base"]
    lines = pesearch("models", "pull", "base", "--yes").stderr.splitlines()
    assert [line.split("  ")[-1] for line in lines] == ["Apache-2.0", "Apache-2.0", "newest state of main"]


def test_a_cache_that_may_not_be_read_is_one_line(pesearch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with public_folder() as folder:
        (folder / "hub" / f"models--{describe('light').frames.repo.replace('/', '--')}" / "refs").mkdir(parents=True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))
        (folder / "hub").chmod(0)
        with without_rights(), pytest.raises(hub.ModelError) as caught:
            hub.installed_sets()
        assert str(caught.value) == (
            f"the Hugging Face cache {folder}/hub cannot be read: Permission denied. Give this user access to it, or "
            "set HF_HOME to another folder."
        )
        (folder / "hub").chmod(0o755)
        monkeypatch.setattr(hub, "_cached", lambda _: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
        result = pesearch("models")
        assert (result.returncode, result.stdout) == (2, "")
        assert "cannot be read: Permission denied" in one_line(result.stderr)
        lines = pesearch("doctor").stdout.splitlines()
        assert "ok       model    starter" in lines
        assert [line.split()[:2] for line in lines if "cannot be read" in line] == [["unread", "models"]]


def test_only_a_terminal_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    controller, terminal = os.openpty()
    with os.fdopen(controller), os.fdopen(terminal) as typed, Path(os.devnull).open() as nothing:
        for stdin, stderr, is_possible in ((typed, typed, True), (nothing, typed, False), (typed, nothing, False)):
            monkeypatch.setattr(sys, "stdin", stdin)
            monkeypatch.setattr(sys, "stderr", stderr)
            assert model_download.can_ask() == is_possible
