"""Login sessions: random ids that browsers keep in a cookie in place of the token.

They live in the memory of the server, so the cookies of a server that has ended are worthless.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b

MAX_IDLE_SECONDS = 7 * 24 * 3600.0
"""A session ends this long after its last request."""

MAX_SESSIONS = 1000
"""More than the browsers of one library; beyond it the session that was used least recently ends."""

_ID_BYTES = 32


class Sessions:
    """The sessions of one server. Not thread-safe: used in its event loop only."""

    def __init__(self, now_seconds: Callable[[], float] = time.monotonic) -> None:
        self._now_seconds = now_seconds
        self._last_used: OrderedDict[bytes, float] = OrderedDict()

    def create(self) -> str:
        """Start a session; returns its id."""
        session_id = secrets.token_urlsafe(_ID_BYTES)
        self._last_used[_digest(session_id)] = self._now_seconds()
        if len(self._last_used) > MAX_SESSIONS:
            self._last_used.popitem(last=False)
        return session_id

    def renew(self, session_id: str) -> bool:
        """Whether a session with this id goes on; if so, it counts as used now."""
        digest, now = _digest(session_id), self._now_seconds()
        last_used = self._last_used.pop(digest, None)
        if last_used is None or now - last_used > MAX_IDLE_SECONDS:
            return False
        self._last_used[digest] = now
        return True


def _digest(session_id: str) -> bytes:
    """Looked up in place of the id, so that the time of a lookup says nothing about ids."""
    return blake2b(session_id.encode(errors="surrogateescape"), digest_size=16).digest()
