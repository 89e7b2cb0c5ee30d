"""Details of Ray that it does not document and may change: everything that relies on them is here.

`tests/indexer/cluster/test_ray.py` fails when Ray changes one of them (checked with Ray 2.60).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any


def silence_stdout(ray: Any) -> None:
    """Keeps Ray from printing the deaths of workers to stdout, which is for data.

    `log_to_driver=False` covers the output of workers, not these errors: `listen_error_messages` always prints them,
    with the function replaced here. They are reported by the run itself.
    """
    ray._private.worker.print_to_stdstream = _ignore


def _ignore(*_: object, **__: object) -> None:
    """Takes the place of `print_to_stdstream`."""


def started_cluster() -> str | None:
    """The address, HOST:PORT, of the last cluster that `ray start` started on this machine; it may have ended since."""
    path = address_file()
    return path.read_text().strip() if path.is_file() else None


def address_file() -> Path:
    """The file in which `ray start` records the address, found without importing Ray: whether there is a cluster
    decides an environment variable that Ray reads on import."""
    return Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir(), "ray", "ray_current_cluster")
