"""`pesearch query` beside a running page: the same output, without loading models."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pesearch.cli.main import command_line
from pesearch.encoders.model_set import ModelSet
from pesearch.search import opening
from pesearch.store.library import Library, open_library
from tests.search.server.page import serving
from tests.search.server.raw_socket import impostor

HEAVY = {"torch", "transformers", "open_clip", "timm", "faiss", "duckdb", "pyarrow", "tantivy", "torchcodec", "PIL"}


@dataclass(frozen=True)
class Finished:
    """The exit code and the output of a command."""

    code: object
    stdout: str
    stderr: str


Query = Callable[..., Finished]


@pytest.fixture
def query(
    sample_library: Library,
    starter: ModelSet,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Query:
    """Runs `pesearch query` in this process; without a page it searches with models that are loaded already."""
    monkeypatch.setattr(opening, "open_for_search", lambda folder, device: (open_library(folder), starter))

    def run(*arguments: str) -> Finished:
        monkeypatch.setattr(sys, "argv", ["pesearch", "query", *arguments, "--library", str(sample_library.folder)])
        with pytest.raises(SystemExit) as ended:
            command_line()
        stdout, stderr = capfd.readouterr()
        return Finished(ended.value.code, stdout, stderr)

    return run


QUERIES = [
    ["siren and train", "--json"],
    ["heard:siren THEN seen:train WITHIN 10s", "--json", "--no-events"],
    ["a dog", "--kind", "audio", "--all", "--jsonl", "--no-events"],
    ["siren", "--in", "sample_media", "-0", "--no-events"],
    ["--image", "sample_media/red_ball.png", "--json"],
    ["heard:./sample_media/siren_alone.wav@0-3", "--json"],
    ["siren AND"],
    ["./none.wav siren"],
]
NOT_SENT = [["siren AND"]]
"""Errors that the command finds before it asks a page."""


@pytest.fixture
def page(runtime: Path, sample_library: Library, starter: ModelSet) -> Iterator[None]:
    """Serves the sample library; its current folder is another one while it answers."""
    with serving(sample_library, starter, folder=Path("/")) as problem:
        assert problem is None
        yield


@pytest.mark.slow
def test_a_query_prints_the_same_with_and_without_a_page(
    sample_library: Library,
    starter: ModelSet,
    runtime: Path,
    sample_media: Path,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(sample_media.parent)
    with serving(sample_library, starter, folder=Path("/")):
        with_page = [query(*arguments, "--verbose") for arguments in QUERIES]
    for arguments, served in zip(QUERIES, with_page, strict=True):
        alone = query(*arguments)
        assert (served.code, served.stdout) == (alone.code, alone.stdout), arguments
        lines = served.stderr.splitlines()
        others = [line for line in lines if not line.startswith("answered by the running page in ")]
        assert others == alone.stderr.splitlines(), arguments
        assert len(lines) - len(others) == (arguments not in NOT_SENT), arguments
    stopped = query("siren", "--verbose", "--no-events")
    assert stopped.code == 0
    assert "no page is running: opened in " in stopped.stderr


@pytest.mark.slow
def test_a_query_answered_by_a_page_imports_nothing_heavy(page: None, sample_library: Library) -> None:
    code = (
        "import sys\nfrom pesearch.cli.main import command_line\n"
        "try: command_line()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*sys.modules, sep='\\n')"
    )
    arguments = ["query", "siren", "--library", sample_library.folder, "--verbose", "-0", "--no-events"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert "answered by the running page" in done.stderr
    loaded = {name.partition(".")[0] for name in done.stdout.rpartition("\0")[2].splitlines()}
    assert "pesearch" in loaded
    assert not loaded & HEAVY


def test_if_the_page_dies_the_query_searches_by_itself(runtime: Path, sample_library: Library, query: Query) -> None:
    with impostor(sample_library.folder, lambda connection: connection.close()):
        finished = query("siren and train", "--verbose", "--json", "--no-events")
    assert finished.code == 0
    assert "the running page gave no answer: opened in " in finished.stderr
    alone = query("siren and train", "--json", "--no-events")
    assert (alone.code, alone.stdout) == (finished.code, finished.stdout)
    assert "page" not in alone.stderr
