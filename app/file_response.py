"""A response with the content of an open file, whatever replaces it under its path."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from pesearch.media.verified_file import OpenFile


class OpenFileResponse(FileResponse):
    """The file, or the byte ranges requested. It is closed with the response."""

    def __init__(self, opened: OpenFile, media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(_path_of(opened), media_type=media_type, headers=headers, stat_result=opened.status)
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        with self._opened:
            await super().__call__(scope, receive, send)


def _path_of(opened: OpenFile) -> str:
    """A path to an open file itself. On Windows its own: no other file can take the place of one that is open there."""
    return str(opened.path) if sys.platform == "win32" else f"/dev/fd/{opened.descriptor}"
