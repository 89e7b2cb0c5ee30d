"""`pesearch demo`: its questions and answers, what it leaves, and the commands that it prints."""

from __future__ import annotations

import re
import shlex
import socket
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from pesearch.cli.demo_command import CLIPS, QUESTIONS, demo_folder, next_steps, typed_program
from pesearch.encoders import model_registry
from pesearch.errors import PesearchError
from tests.cli.conftest import Run, one_line

ROOT = Path(__file__).resolve().parents[2]
MAX_BYTES = 1_000_000
FIRST = ("siren_train.mp4", "rain_thunder.mp4", "speech_platform.mp4")
"""The clip that answers each of QUESTIONS, by the truths of sample_media."""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: str) -> None:
        assert self.family == socket.AF_UNIX, f"a connection to {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refuse)


def clips_in(answer: str) -> list[str]:
    """The names of the files of an answer, best first."""
    return re.findall(r"^ +\d+\. .*/(\w+\.mp4)$", answer, re.MULTILINE)


def answers(printed: str) -> Iterator[tuple[str, str]]:
    """Each command of a transcript, with the lines below it."""
    for block in printed.split("$ pesearch ")[1:]:
        command, _, lines = block.partition("\n")
        yield command, "".join(f"{line}\n" for line in lines.split("\n\n")[0].splitlines())


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_it_answers_its_questions_and_what_is_kept_answers_them_again(pesearch: Run, tmp_path: Path) -> None:
    """By the commands as printed, and by those at the end, pasted into a shell. Files that are there stay."""
    kept = tmp_path / "a folder" / "demo"
    first = pesearch("demo", "--keep", kept)
    assert first.returncode == 0, first.stderr
    (index, summary), *asked = answers(first.stdout)
    assert index == f"index {shlex.quote(f'{kept}/clips')} --model starter"
    assert re.fullmatch(r"5 clips indexed, [\d.]+ s\n", summary)
    assert sorted(path.name for path in (kept / "clips").iterdir()) == sorted(path.name for path in CLIPS.iterdir())
    assert [command for command, _ in asked] == [question.arguments for question in QUESTIONS]
    for (command, answer), clip in zip(asked, FIRST, strict=True):
        assert clips_in(answer)[0] == clip
        assert pesearch(*shlex.split(command), "--library", kept / "library").stdout == answer
    pasted = [shlex.split(line) for line in first.stdout.splitlines() if "--library" in line]
    assert [words[1] for words in pasted] == ["query", "query", "app"]
    assert [clips_in(pesearch(*words[1:]).stdout)[0] for words in pasted[:2]] == ["dog_bark.mp4", "bell.mp4"]
    (kept / "clips" / "bell.mp4").write_bytes(b"mine")
    again = pesearch("demo", "--keep", kept)
    assert (kept / "clips" / "bell.mp4").read_bytes() == b"mine"
    assert "cannot be indexed: `pesearch doctor`" in one_line(again.stderr)


def test_without_keep_the_next_steps_name_it_and_the_models_for_own_media(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_registry, "default_model_set", lambda: "light")
    monkeypatch.setattr(sys, "argv", ["/elsewhere/pesearch"])
    lines = [line.strip() for line in next_steps(None)]
    assert [line.partition("pesearch ")[2] for line in lines if line.startswith("/elsewhere/pesearch ")] == [
        "demo --keep pesearch-demo",
        "models pull light    # 6.95 GB",
        "index ~/videos",
    ]
    assert not [line for line in lines if "starter" in line]


@pytest.mark.parametrize("end", [KeyboardInterrupt(), PesearchError("no space")])
def test_the_temporary_folder_is_deleted_however_it_ends(temporary: Path, end: BaseException) -> None:
    with pytest.raises(type(end)), demo_folder(None) as folder:
        assert folder.parent == temporary
        (folder / "clips").mkdir()
        raise end
    assert list(temporary.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(pesearch: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = pesearch("demo", "--keep", tmp_path / "file")
    assert result.returncode == 2
    assert one_line(result.stderr).endswith(f"cannot be copied to {tmp_path}/file/clips: Not a directory")


def test_its_clips_are_links_to_sample_media_that_the_wheel_holds() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = settings["package-data"]["pesearch.cli"]
    clips = list(CLIPS.iterdir())
    assert set(FIRST) < {clip.name for clip in clips}
    for clip in clips:
        assert clip.is_symlink() and clip.resolve() == ROOT / "sample_media" / clip.name
        assert any(fnmatch(f"demo_clips/{clip.name}", pattern) for pattern in patterns)
    assert sum(clip.stat().st_size for clip in clips) < MAX_BYTES


def test_commands_are_printed_as_the_shell_finds_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, other = tmp_path / "my env" / "pesearch", tmp_path / "other" / "pesearch"
    for path in (program, other):
        path.parent.mkdir()
        path.touch(mode=0o755)
    for started, on_path, typed in (
        (str(program), program.parent, "pesearch"),
        (str(program), other.parent, f"'{program}'"),
        (".venv/bin/pesearch", tmp_path, ".venv/bin/pesearch"),
        ("/env/pesearch/__main__.py", tmp_path, f"{shlex.quote(sys.executable)} -m pesearch"),
    ):
        monkeypatch.setattr(sys, "argv", [started])
        monkeypatch.setenv("PATH", str(on_path))
        assert typed_program() == typed
