"""`pesearch doctor`: checks of this machine and of a library, one line each, and repair."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pesearch.cli.exit_codes import ERROR
from pesearch.cli.model_checks import model_lines, query_models, shared_models
from pesearch.cli.options import LibraryOption, library_folder
from pesearch.errors import LibraryNotFound, LibraryUnavailable, ModelError, PesearchError, VectorServerError

if TYPE_CHECKING:
    from pesearch.store.library import Library

VERSIONED_PACKAGES = ("torch", "transformers", "timm", "open_clip_torch", "torchcodec", "duckdb", "streamlit")
"""Packages whose versions a bug report needs."""

_NEXT_LINE = "\n" + " " * 18
"""Starts another line of details: see `print_check`."""


def doctor_command(
    library: LibraryOption = None,
    repair: Annotated[bool, typer.Option("--repair", help="Repair a damaged library and report each step.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --repair: also discard shards that are missing or unreadable.")
    ] = False,
    restore: Annotated[
        str | None, typer.Option("--restore", metavar="NAME", help="Take back what is good in the folder damaged-N.")
    ] = None,
) -> None:
    """Check this machine, and every shard of the library.

    --repair moves shards whose content is damaged to the folder damaged-N of the library, replaces a damaged catalogue
    by its copy, and rebuilds missing search indexes; the next `pesearch index` re-embeds what was discarded. It changes
    nothing while something is unreadable (permissions, a drive that fails or is not connected), unless --force discards
    that too. Nothing is deleted: --restore takes back the shards of damaged-N that are as they were written.

    Exit codes: 0 all checks passed, 2 something is missing, damaged or cannot be read.

    \b
    Examples:
      pesearch doctor
      pesearch doctor --repair
      pesearch doctor --restore damaged-1
    """
    folder = library_folder(library)
    if force and not repair:
        raise typer.BadParameter("only with --repair", param_hint="--force")
    if restore is not None:
        restore_shards(folder, restore)
    if repair:
        repair_library(folder, force=force)
    is_usable = check_machine() & check_models()
    raise typer.Exit(0 if check_library(folder) and is_usable else ERROR)


def print_check(result: str, subject: str, text: object) -> None:
    """Print one check: its result (ok, missing, none, open, damaged, unread, offline or repaired), subject, details."""
    print(f"{result:<8} {subject:<8} {text}", flush=True)


def check_machine() -> bool:
    """Check what every command needs. False if something is missing."""
    is_usable = True
    for name, check in (
        ("python", python_versions),
        ("packages", check_packages),
        ("ffmpeg", check_ffmpeg),
        ("device", default_device),
        ("faiss", check_faiss),
    ):
        try:
            print_check("ok", name, check())
        except (PesearchError, ImportError, OSError) as error:
            is_usable = False
            print_check("missing", name, error)
    return is_usable


def check_models() -> bool:
    """List the model sets. False if the folder that holds them cannot be read."""
    try:
        for line in model_lines():
            print(line)
    except ModelError as error:
        print_check("unread", "models", error)
        return False
    return True


def check_library(folder: Path) -> bool:
    """Check a library, if there is one. False if it is damaged or cannot be used."""
    from pesearch.cli.render import format_path

    try:
        return _check_contents(folder)
    except LibraryNotFound:
        print_check("none", "library", f"{format_path(folder)} (`pesearch index PATH` creates it)")
        return True
    except LibraryUnavailable as error:
        print_check("unread", "library", error)
        return False
    except ImportError as error:  # the package is named by the checks of the machine
        print_check("missing", "library", error)
        return False
    except PesearchError as error:
        print_check("damaged", "library", error)
        return False


def _check_contents(folder: Path) -> bool:
    from pesearch.cli.render import format_path, format_size
    from pesearch.store.disk.permissions import is_open_to_others
    from pesearch.store.examination import examine
    from pesearch.store.library import open_library

    library = open_library(folder)
    status = library.status()
    print_check("ok", "library", f"{format_path(folder)}: {status.files} files, models {library.model_set}")
    if is_open_to_others(folder):
        print_check("open", "library", f"other users can read it: `chmod 700 {format_path(folder)}` makes it private")
    for space, policy in status.policies.items():
        if policy.lacks_index:
            print_check("none", "index", f"{space}: {policy}")
    is_served = check_vector_server(library)
    found = examine(folder)
    for shard in found.damaged:
        print_check("damaged", "shard", shard.error)
    if found.lost_commits:
        print_check("damaged", "library", f"last {found.lost_commits} commits missing: run `pesearch doctor --repair`")
    if found.copy_error:
        print_check("damaged", "copy", f"of the catalogue: {found.copy_error}")
    if found.unread:
        print_check("unread", "shards", f"{len(found.unread)} of {found.shards}: {found.unread[0].error}")
    intact = found.shards - len(found.damaged) - len(found.unread)
    unsigned = f", {found.without_checksum} without a checksum" if found.without_checksum else ""
    print_check("ok", "shards", f"{intact} of {found.shards} intact ({format_size(found.size_bytes)}{unsigned})")
    is_calibrated = check_calibration(folder)
    print_check("ok", "sharing", shared_models(library.model_set))
    print_check("ok", "queries", query_models(library.model_set))
    is_whole = not (found.damaged or found.unread or found.lost_commits or found.copy_error)
    return is_served and is_calibrated and is_whole


def check_calibration(folder: Path) -> bool:
    """Check the calibration of a library, if it has one. False if it is damaged. Raises LibraryUnavailable."""
    from pesearch.errors import LibraryDamaged
    from pesearch.store.recalibration import read_recalibration

    try:
        read_recalibration(folder)
    except LibraryDamaged as error:
        print_check("damaged", "scores", error)
        return False
    return True


def check_vector_server(library: Library) -> bool:
    """Check the server that searches the vectors, if there is one. False if it is unreachable or incomplete."""
    try:
        state = library.milvus_state()
    except VectorServerError as error:
        print_check("offline", "milvus", error)
        return False
    if state is None:
        return True
    for space, (present, expected) in state.incomplete.items():
        print_check("damaged", "milvus", f"{space}: {present} of {expected} rows: `pesearch gc` refills it")
    print_check("ok", "milvus", f"{state.address}: version {state.version}, {state.total_rows} rows of this library")
    return not state.incomplete


def restore_shards(folder: Path, name: str) -> None:
    """Take back the shards of a quarantine that are as they were written, and update the search indexes."""
    from pesearch.cli.refresh_progress import follow_refresh
    from pesearch.store.library import open_library
    from pesearch.store.restore import restore

    print_check("repaired", "library", restore(folder, name))
    with open_library(folder).writer() as writer:
        follow_refresh(writer.maintain())


def repair_library(folder: Path, *, force: bool) -> None:
    """Take damaged data out of use and rebuild missing search indexes, one line for each step."""
    from pesearch.cli.refresh_progress import follow_refresh
    from pesearch.store.disk.quarantine import quarantine
    from pesearch.store.doctor import repair
    from pesearch.store.library import open_library
    from pesearch.store.recalibration import CALIBRATION_FILE

    for step in repair(folder, force=force):
        print_check("repaired", "library", step)
    try:
        library = open_library(folder)
    except LibraryNotFound:
        return  # reported by the checks
    if not check_calibration(folder):
        target = quarantine(folder, [CALIBRATION_FILE])
        text = f"the damaged calibration is in {target.name}: run `pesearch calibrate` again"
        print_check("repaired", "scores", text)
    with library.writer(as_root=force) as writer:
        for index in follow_refresh(writer.maintain()):
            print_check("repaired", "index", f"{index}: rebuilt")


def python_versions() -> str:
    """The version of Python and of VERSIONED_PACKAGES."""
    from importlib.metadata import version

    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONED_PACKAGES)
    return f"{platform.python_version()}: {versions}"


def check_packages() -> str:
    """Raises PackageMismatch, with a line for each package that is missing or of a version that does not work."""
    from pesearch.errors import PackageMismatch
    from pesearch.installed_packages import all_mismatches

    if found := all_mismatches():
        raise PackageMismatch(_NEXT_LINE.join(found))
    return "all installed, in versions that work"


def check_ffmpeg() -> str:
    """Raises FFmpegMissing if the FFmpeg libraries do not load."""
    from pesearch.media.ffmpeg import ensure_ffmpeg

    ensure_ffmpeg()
    return "its libraries load"


def default_device() -> str:
    """The device that `--device auto` selects, and the precision there of all sets but the starter."""
    from pesearch.encoders.device_selection import choose_device, choose_precision

    device = choose_device("auto")
    return f"{device}, {choose_precision(device)}"


def check_faiss() -> str:
    """The version of FAISS. Raises ImportError if it does not load."""
    from pesearch.store.index.vector_search import faiss_version

    return faiss_version()
