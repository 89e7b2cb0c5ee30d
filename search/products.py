"""NumPy's matrix products, while a question is answered.

They are small, and its OpenBLAS has all cores wait for more of them, spinning: that took as much time as the question.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any


def on_one_core() -> AbstractContextManager[object]:
    """Within it matrix products of NumPy take one core; those of the models take as many as before."""
    limited: AbstractContextManager[object] = _openblas().limit(limits=1)
    return limited


@cache
def _openblas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(internal_api="openblas")
