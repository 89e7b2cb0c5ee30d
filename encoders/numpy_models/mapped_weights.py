"""Weights in safetensors files, mapped into memory: a tensor is read when it is used."""

from __future__ import annotations

import json
import math
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pesearch.encoders.model_files import remedy
from pesearch.errors import ModelDamaged
from pesearch.types import FloatArray

_DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16}
"""How the values of each type of tensor are read. NumPy has no bfloat16: it is the upper half of a float32."""


@dataclass(frozen=True, slots=True)
class _Tensor:
    buffer: mmap.mmap
    kind: str
    shape: tuple[int, ...]
    offset: int

    def values(self) -> npt.NDArray[Any]:
        count = math.prod(self.shape)
        return np.frombuffer(self.buffer, _DTYPES[self.kind], count, self.offset).reshape(self.shape)


class MappedWeights:
    """The tensors of a model by name, as float32. Those stored as float32 are not copied."""

    def __init__(self, files: list[Path]) -> None:
        """Raises ModelDamaged if a file is unreadable or truncated."""
        self.folder = files[0].parent
        self._tensors: dict[str, _Tensor] = {}
        self._converted: dict[str, FloatArray] = {}
        for file in files:
            self._tensors |= _read_header(file)

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def __getitem__(self, name: str) -> FloatArray:
        """Raises ModelDamaged if there is no such tensor, or of another type than floating point."""
        if name not in self._converted:
            self._converted[name] = _single_precision(self._tensor(name).kind, self._tensor(name).values())
        return self._converted[name]

    def get(self, name: str) -> FloatArray | None:
        """The tensor, or None if there is none."""
        return self[name] if name in self._tensors else None

    def rows(self, name: str, numbers: npt.NDArray[np.int64]) -> FloatArray:
        """Rows of a table. The rest of it is not read."""
        tensor = self._tensor(name)
        return _single_precision(tensor.kind, tensor.values()[numbers])

    def names(self, prefix: str) -> list[str]:
        """The names that start with `prefix`."""
        return [name for name in self._tensors if name.startswith(prefix)]

    def _tensor(self, name: str) -> _Tensor:
        if name not in self._tensors:
            raise ModelDamaged(f"{self.folder}: the weights {name} are missing: {remedy(self.folder)}.")
        if (kind := self._tensors[name].kind) not in _DTYPES:
            raise ModelDamaged(f"{self.folder}: the weights {name} are stored as {kind}: {remedy(self.folder)}.")
        return self._tensors[name]


def _read_header(file: Path) -> dict[str, _Tensor]:
    """A safetensors file begins with the length of its header (8 bytes, little-endian) and the header, in JSON."""
    try:
        with file.open("rb") as stream:
            buffer = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        start = 8 + int.from_bytes(buffer[:8], "little")
        entries = json.loads(buffer[8:start])
        entries.pop("__metadata__", None)
        tensors = {
            name: _Tensor(buffer, entry["dtype"], tuple(entry["shape"]), start + entry["data_offsets"][0])
            for name, entry in entries.items()
        }
        end = start + max((entry["data_offsets"][1] for entry in entries.values()), default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ModelDamaged(f"{file} cannot be read ({error}): {remedy(file)}.") from error
    if end > len(buffer):
        raise ModelDamaged(f"{file} is truncated: {remedy(file)}.")
    return tensors


def _single_precision(kind: str, values: npt.NDArray[Any]) -> FloatArray:
    if kind == "BF16":
        return (values.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return values.astype(np.float32, copy=False)
