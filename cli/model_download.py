"""Downloads of model sets: what would be fetched, into which room, and whether the user wants it."""

from __future__ import annotations

import sys

from pesearch.errors import ModelError, ModelMissing


def download_models(name: str, *, is_confirmed: bool) -> bool:
    """Download what is missing of a model set, once the user agrees; False if they decline.

    `is_confirmed` does not ask. Raises UnknownModel, ModelError: no room for all of it, no terminal to ask on, or the
    errors of `pull`.
    """
    from pesearch.cli.render import format_size
    from pesearch.encoders.hub import plan_download, pull, require_room
    from pesearch.encoders.model_registry import describe

    description = describe(name)
    download = plan_download(description)
    if not download.sources:
        print(f"{name} is already installed", file=sys.stderr)
        return True
    for source in download.sources:
        branch = "" if source.is_pinned else f"  newest state of {source.revision}"
        print(f"{source.repo}  {format_size(source.size_bytes)}  {source.licence}{branch}", file=sys.stderr)
    require_room(download)
    size = format_size(download.needed_bytes)
    if not is_confirmed:
        if not can_ask():
            raise ModelError(f"nothing was downloaded: add --yes to download {size} without being asked.")
        print(f"{download.folder} has {format_size(download.free_bytes)} free.", file=sys.stderr)
        if not confirm(f"Download {size}?"):
            print("nothing was downloaded", file=sys.stderr)
            return False
    pull(description, announce=lambda source: print(f"downloading {source.repo}", file=sys.stderr))
    return True


def offer_download(missing: ModelMissing) -> bool:
    """Ask for the download of a set that a command lacks; False if the user declines.

    Raises ModelMissing where nobody can be asked, with the advice to try the demo.
    """
    advice = "Try pesearch without a download: `pesearch demo`."
    if missing.model_set is None or not can_ask():
        raise ModelMissing(f"{missing} {advice}", missing.model_set) from missing
    print(f"The model set {missing.model_set} is not on this machine. {advice}", file=sys.stderr)
    return download_models(missing.model_set, is_confirmed=False)


def can_ask() -> bool:
    """Whether somebody is at a terminal, to read a question and to answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str) -> bool:
    """Ask on stderr; anything but y or yes is a no. Ctrl-C is an interrupt."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        print(file=sys.stderr)
    return answer.strip().lower() in ("y", "yes")
