"""`pesearch demo`: a library of the clips in this package, and questions that show what the tool can do."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pesearch.cli.exit_codes import NOTHING_FOUND
from pesearch.errors import PesearchError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pesearch.encoders.model_set import ModelSet
    from pesearch.search.query.request import SearchRequest
    from pesearch.store.library import Library

CLIPS = Path(__file__).parent / "demo_clips"
"""The clips of the demo: in the repository links to some of sample_media/, in the wheel files."""

MODEL_SET = "starter"
"""It is in this package, and knows the generated world of the clips."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query of the demo, and what it shows."""

    shows: str
    text: str
    speech: bool = False

    @property
    def arguments(self) -> str:
        """The command as users type it, after `pesearch`."""
        return f'query "{self.text}"{" --speech" if self.speech else ""}'

    @property
    def request(self) -> SearchRequest:
        """The request that this command makes."""
        from pesearch.search.query.request import SearchRequest

        return SearchRequest(self.text, speech=self.speech)


QUESTIONS = (
    Question("Things that are seen or heard, in plain words:", "siren and train"),
    Question("One sound after another, at most ten seconds later:", "heard:rain THEN heard:thunder WITHIN 10s"),
    Question("A phrase that somebody says:", "mind the gap", speech=True),
)

MORE = ('query "a dog barking"', "query 'heard:bell -seen:train'", "app")
"""What users may try next in a demo that they keep."""


def demo_command(
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Keep the clips and their library in this folder.")
    ] = None,
) -> None:
    """Try pesearch without a download, on a few clips that come with it.

    Indexes the clips and asks three questions, offline. Everything is in a temporary folder, which is deleted at the
    end, unless --keep names another. The models of the demo know only the generated world of its clips.

    Exit codes: 0 all questions were answered, 1 some were not, 2 error.

    \b
    Examples:
      pesearch demo
      pesearch demo --keep ~/pesearch-demo
    """
    with demo_folder(keep) as folder:
        has_answers = run_demo(folder)
    print(*next_steps(keep), sep="\n")
    raise typer.Exit(0 if has_answers else NOTHING_FOUND)


@contextmanager
def demo_folder(keep: Path | None) -> Iterator[Path]:
    """The folder of the demo, deleted at the end unless it is to be kept. Raises PesearchError."""
    from pesearch.settings import expand_home
    from pesearch.temporary_folder import TemporaryFolder

    if keep is not None:
        yield expand_home(keep).absolute()
        return
    with TemporaryFolder() as folder:
        yield Path(folder)


def run_demo(folder: Path) -> bool:
    """Index the clips and ask the questions, each printed with its answer. Returns whether all have answers.

    Raises PesearchError, FFmpegMissing and the errors of indexing.
    """
    from pesearch.cli.query_command import print_result
    from pesearch.search.search import search

    clips = copy_clips(folder / "clips")
    print(f"$ pesearch index {shlex.quote(str(clips))} --model {MODEL_SET}", flush=True)
    library, models = index_clips(clips, folder / "library")
    has_answers = True
    for question in QUESTIONS:
        print(f"\n{question.shows}\n$ pesearch {question.arguments}", flush=True)
        result = search(library, models, question.request)
        print_result(result, show_all=False, as_json=False, as_jsonl=False, as_paths=False)
        has_answers &= bool(result.matches)
    return has_answers


def copy_clips(folder: Path) -> Path:
    """Copy the clips into a folder, which is created; files that are there stay. Raises PesearchError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for clip in sorted(CLIPS.iterdir()):
            if not (folder / clip.name).exists():
                shutil.copyfile(clip, folder / clip.name)
    except OSError as error:
        raise PesearchError(f"the clips of the demo cannot be copied to {folder}: {error.strerror}") from error
    return folder


def index_clips(clips: Path, folder: Path) -> tuple[Library, ModelSet]:
    """A library of the clips, created or updated, and its models. Raises PesearchError if a clip fails."""
    from pesearch.cli.index_progress import follow
    from pesearch.cli.index_summary import Summary
    from pesearch.indexer.opening import open_for_indexing
    from pesearch.indexer.run import index

    library, models = open_for_indexing(folder, MODEL_SET, "cpu")
    summary = Summary()
    follow(index([clips], library, models), summary)
    if summary.failed:
        raise PesearchError("a clip of the demo cannot be indexed: `pesearch doctor` checks this machine")
    known = summary.indexed + summary.unchanged
    print(f"{known} clips indexed, {summary.elapsed_seconds:.1f} s", flush=True)
    return library, models


def next_steps(keep: Path | None) -> Iterator[str]:
    """How to go on, in lines that can be pasted."""
    from pesearch.cli.render import format_size
    from pesearch.encoders.model_registry import default_model_set, describe

    program = typed_program()
    yield ""
    if keep is None:
        yield "The clips and their library are deleted. To keep and search them:"
        yield f"    {program} demo --keep pesearch-demo"
    else:
        yield "Ask more:"
        yield from (f"    {program} {each} --library {shlex.quote(str(keep / 'library'))}" for each in MORE)
    name = default_model_set()
    yield "The models of the demo know only the cartoons of these clips. For your own media:"
    yield f"    {program} models pull {name}    # {format_size(describe(name).size_bytes)}"
    yield f"    {program} index ~/videos"


def typed_program() -> str:
    """What starts this program in the user's shell: its name if that is on the PATH, else as it was started."""
    started, on_path = sys.argv[0], shutil.which("pesearch")
    if on_path and os.path.realpath(on_path) == os.path.realpath(started):
        return "pesearch"
    if Path(started).name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m pesearch"
    return shlex.quote(started)
