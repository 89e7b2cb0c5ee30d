"""Set up the environment of `make demo` and `make test`, with the standard library only. Quick if nothing changed.

    python3 requirements/install.py [--profile auto|cpu|cuda] [--venv .venv] [--runtime-only] [--system ffmpeg ...]

The automatic profile is `cuda` if `nvidia-smi` lists a GPU, else `cpu`, which never installs an nvidia package. The
versions are pinned in cpu.txt and cuda.txt in this folder; README says what to do without root.
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
APT_PACKAGES = {"ffmpeg": "ffmpeg", "espeak-ng": "espeak-ng", "chromium": "chromium", "curl": "curl"}


def main() -> None:
    """Parse the command line, then install missing programs and the virtual environment."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    parser.add_argument("--runtime-only", action="store_true", help="without what only tests, lint and clusters need")
    parser.add_argument("--system", nargs="*", default=["ffmpeg"], choices=sorted(APT_PACKAGES), metavar="PROGRAM")
    arguments = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036  an older Python gets a plain line, not a traceback
        stop(
            f"pesearch needs Python 3.11 or newer, and this is {sys.version.split()[0]}: run make PYTHON=python3.11 ..."
        )
    install_system(arguments.system)
    profile = detected_profile() if arguments.profile == "auto" else arguments.profile
    install_python(arguments.venv, profile, arguments.runtime_only)


def stop(message: str) -> None:
    """Exit with a one-line message and code 2."""
    sys.exit(print(f"set-up: {message}", file=sys.stderr) or 2)


def run(*command: str | Path, **environment: str) -> None:
    """Run a command with its output on stderr; exit if it fails."""
    result = subprocess.run([str(part) for part in command], env={**os.environ, **environment}, stdout=sys.stderr)
    if result.returncode:
        stop(f"this command failed: {' '.join(str(part) for part in command)}")


def install_system(programs: list[str]) -> None:
    """Install missing programs with apt-get if running as root; else exit with the command to run."""
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
    """`cuda` if nvidia-smi lists a GPU, else `cpu`."""
    if shutil.which("nvidia-smi") is None:
        return "cpu"
    listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True)
    return "cuda" if listing.returncode == 0 and "GPU" in listing.stdout else "cpu"


def install_python(venv: Path, profile: str, is_runtime_only: bool) -> None:
    """Create the virtual environment and install the pinned list, or of that list what the program itself needs.

    Nothing is done if the stamp of the last run still matches. An environment with the whole list serves both.
    """
    pins = ROOT / "requirements" / f"{profile}.txt"
    inputs = [pins, ROOT / "pyproject.toml", Path(__file__)]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in inputs) + sys.version.encode()).hexdigest()
    whole, runtime = venv / "pesearch.stamp", venv / "pesearch-runtime.stamp"
    stamps = (whole, runtime) if is_runtime_only else (whole,)
    if any(stamp.exists() and stamp.read_text() == wanted for stamp in stamps):
        return
    python = venv / "bin" / "python"
    if not python.exists():
        print(f"set-up: {profile} profile in {venv}", file=sys.stderr)
        created = subprocess.run([sys.executable, "-m", "venv", str(venv)], stdout=sys.stderr)
        if created.returncode:
            stop("cannot create a virtual environment: run sudo apt-get install python3-venv")
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv")
    pip = [venv / "bin" / "uv", "pip"]
    environment = {"VIRTUAL_ENV": str(venv.resolve())}
    install = (*pip, "install", "--quiet", "--compile-bytecode")  # or read-only users would compile on each start
    torch = torch_source(python, profile, pins)
    if is_runtime_only:
        run(*install, *torch, "--constraint", pins, "-e", ROOT, **environment)
    else:
        run(*install, *torch, "-r", pins, **environment)
        run(*pip, "install", "--quiet", "--no-deps", "-e", ROOT, **environment)
    add_source_path(python)
    if profile == "cpu":
        refuse_cuda(python)
    (runtime if is_runtime_only else whole).write_text(wanted)


def add_source_path(python: Path) -> None:
    """Put this folder on the path of the environment: type checkers and editors do not run the import hook of an
    editable install, but follow the links in pesearch/."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    (Path(packages) / "pesearch_source.pth").write_text(f"{ROOT}\n", encoding="utf-8")


def torch_source(python: Path, profile: str, pins: Path) -> list[str | Path]:
    """uv options for the CPU build of torch: a local folder of wheels if pip is configured with one, else PyTorch's
    own index.

    uv does not read pip's settings, and PyPI would give the CUDA build with gigabytes of libraries.
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
    """Folders configured as find-links for pip or uv."""
    configured = subprocess.run(
        [python, "-m", "pip", "config", "get", "global.find-links"], capture_output=True, text=True
    )
    text = " ".join([os.environ.get("UV_FIND_LINKS", ""), os.environ.get("PIP_FIND_LINKS", ""), configured.stdout])
    return [Path(word) for word in text.replace(",", " ").split() if Path(word).is_dir()]


def refuse_cuda(python: Path) -> None:
    """Exit if the environment of the CPU profile contains CUDA packages."""
    code = (
        "import importlib.metadata as m, torch;"
        "bad = sorted(d.name for d in m.distributions() if d.name.lower().startswith('nvidia-'));"
        "raise SystemExit(f'CUDA in the CPU profile: {torch.version.cuda} {bad}' if torch.version.cuda or bad else 0)"
    )
    run(python, "-c", code)


if __name__ == "__main__":
    main()
