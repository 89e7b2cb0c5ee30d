"""The package-dir map, the list of packages and the links are one and the same layout."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def test_every_package_is_mapped_to_a_folder_that_exists() -> None:
    folders = SETTINGS["package-dir"]
    assert sorted(SETTINGS["packages"]) == sorted(folders)
    assert all((ROOT / folder / "__init__.py").is_file() for folder in folders.values())


def test_every_room_has_its_link_in_the_root_package() -> None:
    for package, folder in SETTINGS["package-dir"].items():
        if package.count(".") != 1:
            continue  # the root package, and what lies in a room
        link = ROOT / "pesearch" / package.split(".")[1]
        target = link.resolve() if link.is_dir() else (link.parent / link.read_text()).resolve()
        assert target == ROOT / folder


def test_no_package_is_missing_from_the_list() -> None:
    found = {path.parent.relative_to(ROOT) for path in ROOT.glob("*/**/__init__.py") if ".venv" not in path.parts}
    outside = {"tests", "training", "benchmarks", "pesearch", "build"}
    rooms = {str(folder) for folder in found if folder.parts[0] not in outside}
    assert rooms == set(SETTINGS["package-dir"].values()) - {"pesearch"}
