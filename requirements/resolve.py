"""Check that pesearch installs from wheels alone, with every Python that it names: `python requirements/resolve.py`.

Resolves the dependencies of pyproject.toml with `uv pip compile --only-binary :all:` and prints the versions that
decide what a platform gets. Nothing is installed. Needs uv and a package index.

    python requirements/resolve.py [--platform linux|windows|aarch64-unknown-linux-gnu ...] [--extra NAME ...]
    MACOSX_DEPLOYMENT_TARGET=14.0 python requirements/resolve.py --platform aarch64-apple-darwin
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHOWN = ("torch", "torchcodec", "transformers", "timm", "faiss-cpu", "opentimelineio")


def main() -> None:
    """Resolve for each Python in turn; exit with 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platform", action="append", metavar="NAME", help="as uv names it; default: this machine's")
    parser.add_argument("--extra", action="append", default=[], metavar="NAME")
    arguments = parser.parse_args()
    outcomes = [
        resolves(python, platform, arguments.extra)
        for platform in arguments.platform or [None]
        for python in supported_pythons()
    ]
    sys.exit(not all(outcomes))


def supported_pythons() -> list[str]:
    """The versions in the classifiers of pyproject.toml, such as 3.11."""
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    return re.findall(r"^Programming Language :: Python :: (3\.\d+)$", "\n".join(classifiers), re.MULTILINE)


def resolves(python: str, platform: str | None, extras: list[str]) -> bool:
    """Whether there is a wheel of every package for a Python on a platform; prints a line."""
    options = ["--python-platform", platform] if platform else []
    options += [option for extra in extras for option in ("--extra", extra)]
    command = [uv(), "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:"]
    done = subprocess.run(
        [*command, "--python-version", python, *options, ROOT / "pyproject.toml"], capture_output=True, text=True
    )
    where = f"Python {python} on {platform or 'this machine'}"
    if done.returncode:
        print(f"{where}: {done.stderr.strip()}", file=sys.stderr)
        return False
    pins = dict(line.split("==") for line in done.stdout.splitlines() if "==" in line)
    shown = ", ".join(f"{name} {pins[name].partition(' ')[0]}" for name in SHOWN if name in pins)
    print(f"{where}: {len(pins)} packages, {shown}", flush=True)
    return True


def uv() -> str:
    """The uv of this environment, else the first on PATH."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    return found or sys.exit("uv is not installed: run `pip install uv`")


if __name__ == "__main__":
    main()
