"""Install pesearch as a stranger does, into an empty environment, and use it: `make check-install`.

    python -m tests.packaging.check_install

Builds the sdist and from it the wheel, installs the wheel with `uv tool install` and no extra, in the pinned versions,
and runs its commands from another folder with an empty home. Then the steps of the Dockerfile run into a folder of
their own. Needs FFmpeg and a package index; a line for each step says how long it took.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from requirements import install, resolve
from tests.app.server_process import free_port

ROOT = Path(__file__).resolve().parents[2]
MAX_INSTALL_BYTES = 1_600_000_000
APP_START_SECONDS = 60


@dataclass(frozen=True)
class Workplace:
    """An empty folder with a home, and the environment of a user who has nothing but pesearch on PATH."""

    folder: Path

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    def environment(self, **more: str) -> dict[str, str]:
        """Without any setting of this project or of Python."""
        path = f"{self.programs}:/usr/local/bin:/usr/bin:/bin"
        return {"HOME": str(self.folder / "home"), "PATH": path, "LANG": "C.UTF-8", **more}

    def run(self, *command: str | Path, environment: dict[str, str] | None = None) -> str:
        """The stdout of a command, in another folder; the check ends if it fails."""
        environment = environment or self.environment()
        done = subprocess.run(command, cwd=self.folder / "elsewhere", env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"failed with {done.returncode}: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
        return done.stdout


@contextmanager
def step(name: str) -> Iterator[None]:
    """Prints what is done, and how long it took."""
    begin = time.monotonic()
    print(f"{name} ...", end=" ", flush=True)
    yield
    print(f"{time.monotonic() - begin:.1f} s", flush=True)


def main() -> None:
    """Run all steps; exit with a message at the first that fails."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pesearch-install-") as folder:
        place = Workplace(Path(folder))
        for name in ("home", "elsewhere"):
            (place.folder / name).mkdir()
        with step("sdist"):
            tree = build_sdist(place)
        with step("tests in the sdist"):
            check_sdist(tree)
        with step("wheel from the sdist"):
            wheel = build_wheel(place, tree)
        with step("uv tool install"):
            install_tool(place, wheel)
        with step("small, and without CUDA"):
            size_bytes = check_environment(place.folder / "tools" / "pesearch")
        use(place)
        with step("the Dockerfile's steps"):
            check_container(place, tree)
    print(f"installed: {size_bytes / 1e9:.2f} GB; checked in {time.monotonic() - begin:.0f} s")


def build_sdist(place: Workplace) -> Path:
    """The unpacked sdist of this tree, which must hold all files of the repository, and the links in pesearch/.

    Not compressed: that alone takes 15 CPU seconds.
    """
    source, target = place.folder / "source", place.folder / "sdist"
    unwanted = shutil.ignore_patterns(".git", ".venv", ".demo", ".*_cache", "*.egg-info")
    shutil.copytree(ROOT, source, symlinks=True, ignore=unwanted)
    command = [sys.executable, "setup.py", "--quiet", "sdist", "--formats", "tar", "--dist-dir", target]
    refuse_warnings(subprocess.run(command, cwd=source, env=setup_environment(), capture_output=True, text=True))
    (packed,) = target.iterdir()
    with tarfile.open(packed) as archive:
        archive.extractall(target, filter="data")
    (tree,) = (path for path in target.iterdir() if path.is_dir())
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if missing := [name for name in listed.stdout.splitlines() if not os.path.lexists(tree / name)]:
        sys.exit(f"not in the sdist: {missing}")
    return tree


def check_sdist(tree: Path) -> None:
    """Run tests of layout and documentation in the sdist: they name all that it must hold."""
    tests = [f"tests/packaging/test_{name}.py" for name in ("layout", "docs")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--noconftest", *tests],
        cwd=tree, env=setup_environment(PYTHONPATH=str(tree)), capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stdout)


def build_wheel(place: Workplace, tree: Path) -> Path:
    """The wheel of the sdist."""
    command = [resolve.uv(), "build", "--wheel", "--out-dir", place.folder / "dist", tree]
    refuse_warnings(subprocess.run(command, env=setup_environment(), capture_output=True, text=True))
    (wheel,) = (place.folder / "dist").glob("*.whl")
    return wheel


def refuse_warnings(done: subprocess.CompletedProcess[str]) -> None:
    """End the check if a build failed, or leaves out files that look like packages."""
    if done.returncode or "would be ignored" in done.stdout + done.stderr:
        sys.exit(done.stdout + done.stderr)


def install_tool(place: Workplace, wheel: Path) -> None:
    """The first line of the README's set-up, with the wheel in place of the name, and the versions pinned."""
    folders = {"UV_TOOL_DIR": str(place.folder / "tools"), "UV_TOOL_BIN_DIR": str(place.programs)}
    place.run(
        resolve.uv(), "tool", "install", "--quiet", "--python", sys.executable, *torch_options(),
        "--constraints", pins(), wheel,
        environment=setup_environment(**folders),
    )  # fmt: skip


def setup_environment(**more: str) -> dict[str, str]:
    """The environment of this process, with its settings of the network, but not those of Python."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | more


def torch_options() -> list[str]:
    """Where uv finds torch for CPUs: a folder of wheels if this machine has one, else PyTorch's own index."""
    return [str(option) for option in install.torch_source(Path(sys.executable), "cpu", pins())]


def pins() -> Path:
    return ROOT / "requirements" / "cpu.txt"


def check_environment(folder: Path) -> int:
    """The size of an environment in bytes. It must be small, and hold no package of NVIDIA."""
    packages = next(folder.glob("lib/python*/site-packages"))
    if nvidia := sorted(path.name for path in packages.glob("nvidia*")):
        sys.exit(f"CUDA in an environment for CPUs: {nvidia}")
    size = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
    if size > MAX_INSTALL_BYTES:
        sys.exit(f"{size / 1e9:.2f} GB are installed, more than {MAX_INSTALL_BYTES / 1e9:.1f}")
    return size


def use(place: Workplace) -> None:
    """The commands that a new user types, in an empty home."""
    shutil.copytree(ROOT / "sample_media", place.folder / "home" / "videos")
    videos = place.folder / "home" / "videos"
    with step("pesearch doctor"):
        place.run(place.programs / "pesearch", "doctor")
    if "demo" in place.run(place.programs / "pesearch", "--help").split():
        with step("pesearch demo"):
            place.run(place.programs / "pesearch", "demo")
    with step("pesearch index"):
        place.run(place.programs / "pesearch", "index", videos, "--model", "starter")
    with step("pesearch query"):
        answer = place.run(place.programs / "pesearch", "query", "siren and train")
    if str(videos / "siren_train.mp4") not in answer.splitlines()[0]:
        sys.exit(f"the wrong moment is first:\n{answer}")
    with step("pesearch app"):
        check_page(place)


def check_page(place: Workplace) -> None:
    """Start the page, and ask it as the container's health check does."""
    environment = {"PESEARCH_PORT": str(free_port()), "PESEARCH_TOKEN": "a-token-for-this-check"}
    command = [place.programs / "pesearch", "app", "--no-browser", "--port", environment["PESEARCH_PORT"]]
    health = [sys.executable, ROOT / "container" / "healthcheck.py"]
    with subprocess.Popen(
        command, env=place.environment(**environment), cwd=place.folder, stderr=subprocess.DEVNULL
    ) as page:
        try:
            end = time.monotonic() + APP_START_SECONDS
            while subprocess.run(health, env=place.environment(**environment), stderr=subprocess.DEVNULL).returncode:
                if page.poll() is not None or time.monotonic() > end:
                    sys.exit("pesearch app does not answer")
                time.sleep(0.2)
        finally:
            page.terminate()


def check_container(place: Workplace, tree: Path) -> None:
    """The script that the Dockerfile runs, into an empty folder."""
    folder, options = place.folder / "container", torch_options()
    links = {"UV_FIND_LINKS": options[1]} if options[:1] == ["--find-links"] else {}
    environment = {"PATH": f"{Path(resolve.uv()).parent}:{os.environ['PATH']}", "PYTHON": sys.executable, **links}
    script = tree / "container" / "install.sh"
    place.run("sh", script, tree, folder, "cpu", environment=setup_environment(**environment))
    check_environment(folder)


if __name__ == "__main__":
    main()
