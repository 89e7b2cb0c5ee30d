"""A model set that is built once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.encoders.checkpoints import TINY, save_pe_a_frame, save_pe_av, save_pe_core


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pe_core/, pe_av/ and pe_a_frame/, tiny, random."""
    folder = tmp_path_factory.mktemp("tiny_set")
    save_pe_core(folder / "pe_core")
    save_pe_av(TINY, folder / "pe_av")
    save_pe_a_frame(TINY, folder / "pe_a_frame")
    return folder
