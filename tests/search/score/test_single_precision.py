"""Vectors are converted by PyTorch only once it is imported."""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from pesearch.search.score.single_precision import single_precision

SLOW_TORCH = """
import sys, time
sys.half_imported.set()
time.sleep(0.2)

def from_numpy(vectors):
    class Tensor:
        def float(self): return self
        def numpy(self): return vectors.astype("float32") + 1
    return Tensor()
"""


def test_a_search_waits_while_another_thread_imports_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text(SLOW_TORCH)
    half_imported = threading.Event()
    monkeypatch.setattr(sys, "half_imported", half_imported, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    vectors = np.zeros((1, 2), np.float16)
    assert single_precision(vectors).tolist() == [[0, 0]]  # by NumPy
    importing = threading.Thread(target=importlib.import_module, args=("torch",))
    importing.start()
    assert half_imported.wait(10)
    assert single_precision(vectors).tolist() == [[1, 1]]
    importing.join()
    monkeypatch.delitem(sys.modules, "torch")
