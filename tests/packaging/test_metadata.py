"""The metadata is whole, the lists of pins agree with it, and every package in it is used."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from requirements import install, resolve

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIREMENTS = [Requirement(text) for text in PROJECT["dependencies"]]
PROFILES = ("cpu", "cuda")
MODULES = {
    "faiss-cpu": "faiss", "huggingface-hub": "huggingface_hub", "open-clip-torch": "open_clip", "pillow": "PIL",
    "otio-cmx3600-adapter": "otio_cmx3600_adapter",
}  # fmt: skip


def pins(profile: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / f"{profile}.txt").read_text().splitlines()
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_pinned_versions_are_those_that_the_metadata_allows(profile: str) -> None:
    pinned = pins(profile)
    if profile == "cuda":
        pinned["faiss-cpu"] = pinned.pop("faiss-gpu")
    for requirement in REQUIREMENTS:
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


def test_the_profiles_differ_in_torch_faiss_and_cuda_only() -> None:
    """Milvus Lite requires faiss-cpu, whose folder is that of faiss-gpu."""
    cpu, cuda = map(pins, PROFILES)
    differing = {name for name in cpu | cuda if cpu.get(name) != cuda.get(name)}
    assert {"torch", "torchvision", "torchcodec", "triton"} <= differing
    assert all(re.match("torch|triton|nvidia-|cuda-|faiss-|milvus-lite", name) for name in differing)
    assert not [name for name in cpu if name.startswith(("nvidia-", "cuda-"))]


def test_every_dependency_is_used() -> None:
    """An unused one costs every user its download: torchaudio did, and broke transformers where it did not load."""
    folders = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]
    sources = "\n".join(path.read_text() for folder in folders.values() for path in (ROOT / folder).glob("*.py"))
    needed_by_others = {"ftfy", "safetensors"}  # open_clip's tokenizer, transformers' weights
    for requirement in REQUIREMENTS:
        name = canonicalize_name(requirement.name)
        module = MODULES.get(name, name)
        assert name in needed_by_others or re.search(rf'(import|from|\(|\[|"|, )\s*"?{module}\b', sources), requirement


def test_the_classifiers_name_the_pythons_that_are_resolved() -> None:
    assert resolve.supported_pythons() == ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["requires-python"] == ">=3.11"
    assert "Typing :: Typed" in PROJECT["classifiers"]
    assert (ROOT / "pesearch" / "py.typed").is_file()


def test_what_has_no_wheel_for_the_newest_python_is_optional_there() -> None:
    on_newest = [
        each.name for each in REQUIREMENTS if each.marker is None or each.marker.evaluate({"python_version": "3.14"})
    ]
    assert not [name for name in on_newest if "otio" in name or "timeline" in name]
    assert "faiss-cpu" in on_newest


def test_torch_comes_from_a_configured_folder_of_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    version, cpu = pins("cpu")["torch"], ROOT / "requirements" / "cpu.txt"
    (tmp_path / f"torch-{version}+cpu-{tag}-{tag}-linux_x86_64.whl").touch()
    assert install.torch_source(Path(sys.executable), "cpu", cpu) == ["--find-links", tmp_path]
    assert install.torch_source(Path(sys.executable), "cuda", cpu) == []
