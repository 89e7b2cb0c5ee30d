"""Memory of pictures that are being decoded, of all threads of a process together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class DecodeBudget:
    """Bytes that decoders share. Who needs more than there is left waits, in no fixed order."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        self._held_bytes = 0
        self._released = Condition()

    @contextmanager
    def hold(self, size_bytes: int) -> Iterator[None]:
        """Wait for these bytes and hold them. More than the budget holds all of it: one at a time, and nothing else."""
        held = min(size_bytes, self._size_bytes)
        with self._released:
            self._released.wait_for(lambda: self._held_bytes + held <= self._size_bytes)
            self._held_bytes += held
        try:
            yield
        finally:
            with self._released:
                self._held_bytes -= held
                self._released.notify_all()


MAX_DECODED_BYTES = 64 << 20
"""Of one picture that is decoded in this process: 16 megapixels, or a JPEG of 200, of which an eighth of each side is
decoded."""

BUDGET = DecodeBudget(2 * MAX_DECODED_BYTES)
"""Of this process. Two pictures keep four threads busy enough, as most are far smaller."""
