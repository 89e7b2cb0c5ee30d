"""`pesearch status`, `doctor` and `models`: what is here and what is missing."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.cli.refresh_progress import follow_refresh
from pesearch.cli.render import shown, size, table
from pesearch.errors import LibraryNotFound, PesearchError, VectorServerError

if TYPE_CHECKING:
    from pesearch.store.library import Library


def print_status(folder: Path, as_json: bool) -> None:
    """What a library holds, what of it is on drives that are away, and its failures with reasons."""
    from pesearch.indexer.volumes import offline
    from pesearch.store.library import open_library

    library = open_library(folder).pinned()
    status, failures, away = library.status(), library.failures(), offline(library)
    if as_json:
        print(
            json.dumps(
                {
                    "library": str(folder),
                    "model": status.model_set,
                    "generation": status.generation,
                    "files": {str(kind): count for kind, count in status.files_by_kind.items()},
                    "hours": round(status.hours, 4),
                    "vectors": {str(space): count for space, count in status.vectors.items()},
                    "search": {str(space): asdict(policy) for space, policy in status.policies.items()},
                    "cues": status.cues,
                    "size_bytes": status.size_bytes,
                    "offline": [
                        {
                            "files": each.files,
                            "last_seen": str(each.last_seen),
                            "now_at": str(each.now_at) if each.now_at else None,
                        }
                        for each in away
                    ],
                    "failures": [
                        {"path": str(failure.location.path), "reason": failure.reason} for failure in failures
                    ],
                },
                indent=2,
            )
        )
        return
    kinds = ", ".join(f"{count} {kind}" for kind, count in status.files_by_kind.items() if count)
    print(f"library     {shown(folder)} ({size(status.size_bytes)}, generation {status.generation})")
    print(f"models      {status.model_set}")
    print(f"files       {status.files}" + (f" ({kinds})" if kinds else "") + f", {status.hours:.2f} h")
    print("vectors     " + ", ".join(f"{count} {space}" for space, count in status.vectors.items()))
    for number, (space, policy) in enumerate(status.policies.items()):
        print(f"{'' if number else 'search':12}{space}: {policy}")
    print(f"cues        {status.cues}")
    for number, each in enumerate(away):
        now = f"it is now at {shown(each.now_at)}: index that" if each.now_at else "it is away"
        place = f"on the drive last seen at {shown(each.last_seen)}"
        print(f"{'' if number else 'offline':12}{each.files} files, {place}; {now}")
    print(f"failed      {len(failures)}")
    for failure in failures:
        print(f"  {shown(failure.location.path)}: {failure.reason}")


def print_models() -> None:
    """The model sets as a table."""
    from pesearch.encoders.hub import status
    from pesearch.encoders.model_registry import MODEL_SETS

    rows = []
    for name, description in MODEL_SETS.items():
        states = status(description)
        licences = sorted({source.licence for source in description.sources})
        here = "yes" if all(state.complete for state in states) else "no"
        rows.append((name, size(description.size_bytes), ", ".join(licences), here, description.summary))
    for line in table(("SET", "SIZE", "LICENCE", "HERE", "FOR"), rows):
        print(line)


def pull_models(name: str, yes: bool) -> int:
    """Fetch a model set after its size was shown; 2 when the user says no."""
    import typer

    from pesearch.encoders.hub import pull, status
    from pesearch.encoders.model_registry import describe

    description = describe(name)
    absent = [state.source for state in status(description) if not state.complete]
    if not absent:
        print(f"{name} is on this machine already", file=sys.stderr)
        return 0
    for source in absent:
        print(f"{source.repo}  {size(source.size_bytes)}  {source.licence}", file=sys.stderr)
    if not yes and not typer.confirm(f"Download {size(sum(source.size_bytes for source in absent))}?", err=True):
        return 2
    pull(description, announce=lambda source: print(f"fetching {source.repo}", file=sys.stderr))
    return 0


def print_doctor(folder: Path) -> int:
    """Each check on a line; 2 when something that every use needs is missing."""
    failed = 0
    for name, check in (
        ("python", check_python),
        ("ffmpeg", check_ffmpeg),
        ("device", check_device),
        ("faiss", check_faiss),
    ):
        try:
            print(f"ok       {name:<8} {check()}")
        except (PesearchError, ImportError, OSError) as error:
            failed = 2
            print(f"missing  {name:<8} {error}")
    print("\n".join(model_lines()))
    try:
        return max(failed, print_library(folder))
    except LibraryNotFound:
        print(f"none     library  {shown(folder)} (pesearch index PATH makes it)")
        return failed
    except PesearchError as error:
        print(f"broken   library  {error}")
        return 2


def print_library(folder: Path) -> int:
    """What a library holds, and whether all of it is as it was written; 2 when it is not."""
    from pesearch.store.doctor import examine
    from pesearch.store.library import open_library

    library = open_library(folder)
    print(f"ok       library  {shown(folder)}: {library.status().files} files, models {library.model_set}")
    for space, policy in library.status().policies.items():
        if policy.lacks_index:
            print(f"none     index    {space}: {policy}")
    away = print_milvus(library)
    found = examine(folder)
    for each in found.damaged:
        print(f"broken   shard    {each.error}")
    if found.lost_commits:
        print(f"broken   library  its last {found.lost_commits} commits are missing: run `pesearch doctor --repair`")
    whole = found.shards - len(found.damaged)
    unsigned = f", {found.without_checksum} without a checksum" if found.without_checksum else ""
    print(f"ok       shards   {whole} of {found.shards} are as they were written ({size(found.size_bytes)}{unsigned})")
    print(f"ok       sharing  {check_sharing(library.model_set)}")
    return 2 if found.damaged or found.lost_commits or away else 0


def print_milvus(library: Library) -> bool:
    """Whether the Milvus that is to search the vectors, if one is, does not hold what it should, or cannot be asked."""
    try:
        state = library.milvus_state()
    except VectorServerError as error:
        print(f"away     milvus   {error}")
        return True
    if state is None:
        return False
    lacking = {space: (there, wanted) for space, (there, wanted) in state.rows.items() if there != wanted}
    for space, (there, wanted) in lacking.items():
        print(f"broken   milvus   {space}: {there} of {wanted} rows are there: `pesearch gc` fills it again")
    rows = sum(there for there, _ in state.rows.values())
    print(f"ok       milvus   {state.address}: version {state.version}, {rows} rows of this library")
    return bool(lacking)


def print_repair(folder: Path) -> None:
    """What is mended, a line each; search indexes that are missing are built again."""
    from pesearch.store.doctor import repair
    from pesearch.store.library import open_library

    for line in repair(folder):
        print(f"mended   library  {line}", flush=True)
    try:
        library = open_library(folder)
    except LibraryNotFound:
        return  # the checks that follow say so
    with library.writer() as writer:
        for space in follow_refresh(writer.maintain()):
            print(f"mended   index    {space}: built again")


def check_sharing(model_set: str) -> str:
    """What is computed once for two models, because their weights were compared and are equal."""
    from pesearch.encoders.model_set import open_model_set

    models = open_model_set(model_set, "cpu")
    towers = "one image tower for frames and windows" if models.shares_tower() else "an image tower for frames alone"
    codecs = "one audio codec for windows and events" if models.shares_codec() else "an audio codec for each"
    return f"{model_set}: {towers}, {codecs}"


def check_python() -> str:
    """The versions that matter."""
    import importlib.metadata as metadata

    named = ("torch", "transformers", "timm", "open_clip_torch", "torchcodec", "duckdb", "streamlit")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in named)
    return f"{platform.python_version()}: {versions}"


def check_ffmpeg() -> str:
    """Can media be decoded here?"""
    from pesearch.media.ffmpeg import ensure_ffmpeg

    ensure_ffmpeg()
    return "its libraries load"


def check_device() -> str:
    """Where the models would run."""
    from pesearch.encoders.device import choose_device

    return choose_device("auto")


def check_faiss() -> str:
    """Does the vector index load?"""
    from pesearch.store.index.vector_search import faiss_version

    return faiss_version()


def model_lines() -> Iterator[str]:
    """Which model sets are on this machine."""
    from pesearch.encoders.hub import status
    from pesearch.encoders.model_registry import MODEL_SETS

    for name, description in MODEL_SETS.items():
        here = all(state.complete for state in status(description))
        print_as = "ok      " if here else "absent  "
        hint = "" if here else f"(pesearch models pull {name}: {size(description.size_bytes)})"
        yield f"{print_as} model    {name} {hint}".rstrip()
