"""The model registry is consistent."""

import re
import subprocess
import sys

import pytest

from pesearch.encoders.model_registry import MODEL_SETS, PACKAGED, describe
from pesearch.errors import UnknownModel
from pesearch.types import SpaceName


def test_the_registered_sets() -> None:
    assert list(MODEL_SETS) == ["starter", "small", "base", "large", "light"]


def test_an_unknown_set_is_refused_with_the_known_names() -> None:
    with pytest.raises(UnknownModel, match=r"'huge'.*starter, small, base, large, light"):
        describe("huge")


def test_weights_of_the_hub_are_pinned_except_pe_a_frame_base() -> None:
    unpinned = {
        source.repo
        for description in MODEL_SETS.values()
        for source in description.sources
        if not source.packaged and not re.fullmatch(r"[0-9a-f]{40}", source.revision)
    }
    assert unpinned == {"facebook/pe-a-frame-base"}


def test_only_the_starter_set_is_packaged_and_has_a_notice() -> None:
    packaged = {name for name, d in MODEL_SETS.items() if all(s.revision == PACKAGED for s in d.sources)}
    assert packaged == {name for name, d in MODEL_SETS.items() if d.notice} == {"starter"}


def test_windows_use_the_16_frame_checkpoints() -> None:
    for name in ("small", "base", "large", "light"):
        assert describe(name).windows.repo.endswith(f"{'small' if name == 'light' else name}-16-frame")


def test_light_has_the_frame_and_audio_spaces() -> None:
    assert describe("light").space_names == (SpaceName.FRAME, SpaceName.AUDIO)


def test_sizes_are_those_of_float32_weights() -> None:
    gigabytes = {name: round(d.size_bytes / 1e9, 1) for name, d in MODEL_SETS.items()}
    assert gigabytes == {"starter": 0.0, "small": 7.8, "base": 9.1, "large": 17.5, "light": 6.9}
    assert describe("starter").size_bytes < 20e6


def test_importing_the_public_modules_loads_no_heavy_library() -> None:
    code = (
        "import sys, pesearch.encoders.model_set, pesearch.encoders.hub, pesearch.encoders.model_registry;"
        "print({'torch', 'transformers', 'open_clip', 'timm', 'huggingface_hub'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "set()\n"
