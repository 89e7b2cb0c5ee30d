"""What protects the catalogue file while DuckDB attaches it for writing.

If the system refuses DuckDB's own `stat` of the file (an I/O error that comes and goes), DuckDB takes the file for
missing and makes an empty database of it: it deletes the log, and writes new headers over the first 12 KiB. It has no
option against that (DuckDB 2.0); the rest of the file stays. So the headers are read before, the log is kept open, and
both are written again if the file is another database afterwards: each has a random identifier in its first header.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from pesearch.store.disk.durable import disk_errors, sync_file, write_durably

_HEADER_BYTES = 4096

_HEADERS_BYTES = 3 * _HEADER_BYTES
"""The main header, which never changes in the life of a database, and the two that its checkpoints write in turn."""


class HeaderGuard:
    """The headers and the log of a database file as they were when this was made.

    It must stay open as long as DuckDB has the file attached: closing any descriptor of a file drops all POSIX locks
    that the process holds on it.
    """

    def __init__(self, path: Path, log: Path) -> None:
        self._folder = path.parent
        self._log_path = log
        with disk_errors(self._folder):
            self._file = path.open("r+b", buffering=0)
            try:
                self._headers = self._read(_HEADERS_BYTES)
                self._log = log.open("rb") if log.exists() else None
            except OSError:
                self._file.close()
                raise

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._log is not None:
            self._log.close()

    def is_replaced(self) -> bool:
        """Whether the file is another database now."""
        with disk_errors(self._folder):
            return self._read(_HEADER_BYTES) != self._headers[:_HEADER_BYTES]

    def restore(self) -> None:
        """Write headers and log again, durably, if the file is another database, or the log was deleted without being
        folded into it. DuckDB must not have it attached."""
        with disk_errors(self._folder):
            is_unchanged = self._read(_HEADERS_BYTES) == self._headers
            if not (is_unchanged or self.is_replaced()):
                return
            if self._log is not None and not self._log_path.exists():
                log = self._log
                log.seek(0)
                write_durably(self._log_path, lambda sink: shutil.copyfileobj(log, sink, 1 << 20))
            if not is_unchanged:
                self._file.seek(0)
                self._file.write(self._headers)
                sync_file(self._file.fileno())

    def _read(self, size_bytes: int) -> bytes:
        """The first bytes of the file as they are now."""
        self._file.seek(0)
        return self._file.read(size_bytes)
