"""Set up the environment that `make demo` and `make test` use: standard library only, quick when nothing changed.

    python3 requirements/install.py [--profile auto|cpu|cuda] [--venv .venv] [--system ffmpeg espeak-ng]

The profile follows the machine: `cuda` where `nvidia-smi` lists a GPU, else `cpu`, which never installs an nvidia
package. The pinned lists beside this file hold the versions; README tells what to do without root.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APT_PACKAGES = {"ffmpeg": "ffmpeg", "espeak-ng": "espeak-ng", "chromium": "chromium"}


def main() -> None:
    """Parse the command line and do what is missing, step by step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    parser.add_argument("--system", nargs="*", default=["ffmpeg"], choices=sorted(APT_PACKAGES), metavar="PROGRAM")
    arguments = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036  an older Python gets a plain line, not a traceback
        stop(
            f"pesearch needs Python 3.11 or newer, and this is {sys.version.split()[0]}: run make PYTHON=python3.11 ..."
        )
    install_system(arguments.system)
    profile = detected_profile() if arguments.profile == "auto" else arguments.profile
    install_python(arguments.venv, profile)


def stop(message: str) -> None:
    """End with one line and exit code 2."""
    sys.exit(print(f"set-up: {message}", file=sys.stderr) or 2)


def run(*command: str | Path, **environment: str) -> None:
    """Run a command, its output on our stderr; end when it fails."""
    result = subprocess.run([str(part) for part in command], env={**os.environ, **environment}, stdout=sys.stderr)
    if result.returncode:
        stop(f"this command failed: {' '.join(str(part) for part in command)}")


def install_system(programs: list[str]) -> None:
    """Install missing programs with apt-get where we may; else name the one command that does."""
    packages = [APT_PACKAGES[program] for program in programs if shutil.which(program) is None]
    if not packages:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if sys.platform == "darwin":
        stop(f"missing {', '.join(packages)}: run brew install {' '.join(packages)}")
    if shutil.which("apt-get") is None:
        stop(f"missing {', '.join(packages)}: install them with this system's package manager, then run this again")
    if os.geteuid() != 0:
        stop(f"missing {', '.join(packages)}: run sudo {' '.join(command)}")
    print(f"set-up: installing {', '.join(packages)}", file=sys.stderr)
    run("apt-get", "update", "-q", "-q", DEBIAN_FRONTEND="noninteractive")
    run(*command, "-q", "-q", DEBIAN_FRONTEND="noninteractive")


def detected_profile() -> str:
    """`cuda` where nvidia-smi lists a GPU, else `cpu`."""
    if shutil.which("nvidia-smi") is None:
        return "cpu"
    listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True)
    return "cuda" if listing.returncode == 0 and "GPU" in listing.stdout else "cpu"


def install_python(venv: Path, profile: str) -> None:
    """Make the virtual environment and install the pinned list; a stamp makes the next call quick."""
    pins = ROOT / "requirements" / f"{profile}.txt"
    inputs = [pins, ROOT / "pyproject.toml", Path(__file__)]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in inputs) + sys.version.encode()).hexdigest()
    stamp = venv / "pesearch.stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    python = venv / "bin" / "python"
    if not python.exists():
        print(f"set-up: {profile} profile in {venv}", file=sys.stderr)
        made = subprocess.run([sys.executable, "-m", "venv", str(venv)], stdout=sys.stderr)
        if made.returncode:
            stop("no virtual environment could be made: run sudo apt-get install python3-venv")
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv")
    pip = [venv / "bin" / "uv", "pip"]
    environment = {"VIRTUAL_ENV": str(venv.resolve())}
    install = (*pip, "install", "--quiet", "--compile-bytecode")  # else commands that may not write compile each time
    run(*install, *torch_source(python, profile, pins), "-r", pins, **environment)
    run(*pip, "install", "--quiet", "--no-deps", "-e", ROOT, **environment)
    mend_torchaudio(python)
    if profile == "cpu":
        refuse_cuda(python)
    stamp.write_text(wanted)


def torch_source(python: Path, profile: str, pins: Path) -> list[str | Path]:
    """Where the CPU build of torch comes from: a local folder of wheels if pip knows one, else PyTorch's own index.

    uv does not read pip's settings, and the plain index would give the CUDA build with gigabytes of libraries.
    """
    if profile != "cpu" or sys.platform == "darwin":
        return []
    version = next(line.split("==")[1].strip() for line in pins.read_text().splitlines() if line.startswith("torch=="))
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    for folder in local_wheel_folders(python):
        if any(folder.glob(f"torch-{version}+cpu-{tag}-*.whl")):
            return ["--find-links", folder]
    return ["--torch-backend", "cpu"]


def local_wheel_folders(python: Path) -> list[Path]:
    """Folders that the user set as find-links for pip or uv."""
    asked = subprocess.run([python, "-m", "pip", "config", "get", "global.find-links"], capture_output=True, text=True)
    text = " ".join([os.environ.get("UV_FIND_LINKS", ""), os.environ.get("PIP_FIND_LINKS", ""), asked.stdout])
    return [Path(word) for word in text.replace(",", " ").split() if Path(word).is_dir()]


def mend_torchaudio(python: Path) -> None:
    """Drop torchaudio's compiled part where it is built for CUDA and cannot load: the rest is plain Python.

    Left in place it also breaks the import of transformers. Nothing here uses the part that goes (forced alignment).
    """
    code = "import importlib.util as u; print(u.find_spec('torchaudio').submodule_search_locations[0])"
    if subprocess.run([python, "-c", "import torchaudio"], capture_output=True).returncode == 0:
        return
    place = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    shutil.rmtree(Path(place) / "lib", ignore_errors=True)
    run(python, "-c", "import torchaudio")


def refuse_cuda(python: Path) -> None:
    """The CPU profile must hold no CUDA: say so at once if it does."""
    code = (
        "import importlib.metadata as m, torch;"
        "bad = sorted(d.name for d in m.distributions() if d.name.lower().startswith('nvidia-'));"
        "raise SystemExit(f'CUDA in the CPU profile: {torch.version.cuda} {bad}' if torch.version.cuda or bad else 0)"
    )
    run(python, "-c", code)


if __name__ == "__main__":
    main()
