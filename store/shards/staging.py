"""A staging folder for shards written on machines without access to the library, on any file system that pyarrow
supports (`file:///nfs/staging`, `s3://bucket/staging`).

A worker puts shards there; the library's writer fetches them into the library before it registers them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from pesearch.errors import ClusterError, first_line
from pesearch.store.disk.durable import AtomicFile, disk_errors, make_folder, undone_by
from pesearch.store.shards.format import Shard, new_hash

_PART_BYTES = 1 << 22


class Staging:
    """The folder `name` at a URI; nothing outside it is touched.

    Raises ClusterError for a URI that pyarrow does not support; all methods raise it when the URI cannot be reached.
    """

    def __init__(self, uri: str, name: str) -> None:
        with _staging_errors(uri):
            self._system, place = fs.FileSystem.from_uri(uri)
        self._uri = uri
        self._folder = f"{place.rstrip('/')}/{name}"

    def put(self, folder: Path, shards: Iterable[Shard]) -> None:
        """Move finished shards from a folder on this machine to the staging folder."""
        for shard in shards:
            with _staging_errors(self._uri):
                target = self._place(shard)
                self._system.create_dir(target.rpartition("/")[0], recursive=True)
                with (
                    (folder / shard.relative_path).open("rb") as source,
                    self._system.open_output_stream(target) as sink,
                ):
                    while part := source.read(_PART_BYTES):
                        sink.write(part)
                (folder / shard.relative_path).unlink()

    def fetch(self, folder: Path, shards: Iterable[Shard]) -> None:
        """Move shards to the library in `folder`, where they are durable.

        Raises ClusterError also for a shard with another checksum, LibraryError and NoSpaceLeft.
        """
        for shard in shards:
            self._copy(folder / shard.relative_path, shard)
            with _staging_errors(self._uri):
                self._system.delete_file(self._place(shard))

    def clear(self) -> None:
        """Delete the staging folder, if it exists: shards of a run that was interrupted."""
        with _staging_errors(self._uri):
            if self._system.get_file_info(self._folder).type != fs.FileType.NotFound:
                self._system.delete_dir(self._folder)

    def _copy(self, path: Path, shard: Shard) -> None:
        hashed = new_hash()
        with _staging_errors(self._uri):
            source = self._system.open_input_stream(self._place(shard))
        with disk_errors(path.parent), source:
            make_folder(path.parent)
            file = AtomicFile(path, durable=True)
            with undone_by(file.abandon):
                while part := self._read(source):
                    hashed.update(part)
                    file.sink.write(part)
                if hashed.hexdigest() != shard.checksum:
                    raise ClusterError(f"{self._uri} returned a damaged {shard.relative_path}: run the command again")
                file.commit()

    def _read(self, source: pa.NativeFile) -> bytes:
        with _staging_errors(self._uri):
            return bytes(source.read(_PART_BYTES))

    def _place(self, shard: Shard) -> str:
        return f"{self._folder}/{shard.relative_path.as_posix()}"


@contextmanager
def _staging_errors(uri: str) -> Iterator[None]:
    """Turn errors of pyarrow into `ClusterError`, one line each."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = first_line(error).replace(uri, "its URI")
        raise ClusterError(f"The staging folder {_without_secrets(uri)} cannot be used: {reason}") from error


def _without_secrets(uri: str) -> str:
    """A URI without user name, password and query string, which may contain keys."""
    scheme, _, rest = uri.partition("?")[0].rpartition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if scheme else rest
