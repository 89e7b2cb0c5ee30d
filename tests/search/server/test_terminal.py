"""`pesearch query` beside a running page: the same words, quicker."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pesearch.cli.main import command_line
from pesearch.store.library import Library
from tests.search.server.talking import pretending

HEAVY = {"torch", "transformers", "open_clip", "timm", "faiss", "duckdb", "pyarrow", "tantivy", "torchcodec", "PIL"}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: object
    out: str
    told: str


Query = Callable[..., Ended]


@pytest.fixture
def query(sample_library: Library, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Query:
    """`pesearch query` in this process, which has imported already what a cold query imports."""

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["pesearch", "query", *arguments, "--library", str(sample_library.folder)])
        with pytest.raises(SystemExit) as ended:
            command_line()
        out, told = capfd.readouterr()
        return Ended(ended.value.code, out, told)

    return run


QUESTIONS = [
    ["siren and train", "--json"],
    ["heard:siren THEN seen:train WITHIN 10s", "--json", "--no-events"],
    ["a dog", "--kind", "audio", "--all", "--jsonl"],
    ["siren", "--in", "sample_media", "-0"],
    ["--image", "sample_media/red_ball.png", "--json"],
    ["heard:./sample_media/siren_train.mp4@0-3", "--json"],
    ["siren AND"],
    ["./none.wav siren"],
]
NOT_ASKED = [["siren AND"]]
"""A mistake that is seen without asking anybody."""


@pytest.fixture
def page(runtime: Path, sample_library: Library) -> Iterator["subprocess.Popen[str]"]:
    """A process that serves the sample library."""
    command = [sys.executable, "-m", "tests.search.server.page", sample_library.folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "\n"
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_a_warm_query_says_what_a_cold_one_says(
    page: "subprocess.Popen[str]",
    sample_library: Library,
    sample_media: Path,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(sample_media.parent)
    warm = [query(*asked, "--verbose") for asked in QUESTIONS]
    page.kill()
    page.wait()
    for asked, ended in zip(QUESTIONS, warm, strict=True):
        cold = query(*asked)
        assert (ended.code, ended.out) == (cold.code, cold.out), asked
        said = [line for line in ended.told.splitlines() if not line.startswith("answered by the running page in ")]
        assert said == cold.told.splitlines(), asked
        is_asked = asked not in NOT_ASKED
        assert len(ended.told.splitlines()) - len(said) == is_asked, asked
    killed = query("siren", "--verbose")
    assert killed.code == 0
    assert "no page is running: opened in " in killed.told


@pytest.mark.slow
def test_a_warm_query_loads_nothing_heavy(page: "subprocess.Popen[str]", sample_library: Library) -> None:
    code = (
        "import sys\nfrom pesearch.cli.main import command_line\n"
        "try: command_line()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*sys.modules, sep='\\n')"
    )
    command = [sys.executable, "-c", code, "query", "siren", "--library", sample_library.folder, "--verbose", "-0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "answered by the running page" in done.stderr
    loaded = {name.partition(".")[0] for name in done.stdout.rpartition("\0")[2].splitlines()}
    assert "pesearch" in loaded
    assert not loaded & HEAVY


def test_where_the_page_dies_at_it_the_query_answers_for_itself(
    runtime: Path, sample_library: Library, query: Query
) -> None:
    with pretending(sample_library, lambda connection: connection.close()):
        ended = query("siren and train", "--verbose", "--json")
    assert ended.code == 0
    assert "the running page gave no answer: opened in " in ended.told
    alone = query("siren and train", "--json")
    assert (alone.code, alone.out) == (ended.code, ended.out)
    assert "page" not in alone.told
