"""Write the shards of a batch of files: one for each space or codec, with the rows file by file.

The library's writer does so just before it registers them. A worker on another machine uses `store_files`, and sends
the returned records to the writer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from pesearch.store.disk.durable import disk_errors
from pesearch.store.shards.features import check_features, write_features
from pesearch.store.shards.format import Shard
from pesearch.store.shards.records import Extent, StreamedFile, WrittenShard
from pesearch.store.shards.vectors import check_file_vectors, write_shard
from pesearch.types import CodecFeatures, EncodedFile, Space, SpaceName


def store_files(folder: Path, files: Sequence[EncodedFile], spaces: Sequence[Space]) -> list[StreamedFile]:
    """Write shards for files of different contents to `folder`. All must be registered in one `Writer.add`.

    Errors as in `Writer.add`.
    """
    by_name = {space.name: space for space in spaces}
    check_files(files, by_name)
    extents: defaultdict[str, list[Extent[Shard]]] = defaultdict(list)
    for written in write_files(folder, files, by_name):
        for fingerprint, first_row, rows in written.contents:
            extents[fingerprint].append(Extent(written.shard, first_row, rows))
    return [
        StreamedFile(
            file.location,
            file.fingerprint,
            file.info,
            tuple(extents[file.fingerprint]),
            file.cues,
            file.remarks,
            file.properties,
        )
        for file in files
    ]


def check_files(files: Iterable[EncodedFile], spaces: Mapping[SpaceName, Space]) -> None:
    """Raises ValueError for vectors that do not fit the spaces, or are not finite in float16, and for features that are
    not finite float16."""
    for file in files:
        for vectors in file.vectors:
            space = spaces.get(vectors.space)
            if space is None or vectors.vectors.shape[1] != space.dim:
                raise ValueError(f"{vectors!r} of {file.location.path!r} does not fit the library's spaces")
            check_file_vectors(vectors)
        if file.features is not None:
            check_features(file.features)


def write_files(folder: Path, files: Sequence[EncodedFile], spaces: Mapping[SpaceName, Space]) -> list[WrittenShard]:
    """Write shards for files that passed `check_files`. Raises `NoSpaceLeft` and `LibraryError`."""
    with disk_errors(folder):
        return [*_write_vectors(folder, files, spaces), *_write_features(folder, files)]


def collect_shards(files: Iterable[StreamedFile]) -> list[WrittenShard]:
    """The shards of streamed files, with the extents in each. The last of two files with the same content counts."""
    contents: defaultdict[Shard, list[tuple[str, int, int]]] = defaultdict(list)
    for file in {file.fingerprint: file for file in files}.values():
        for extent in file.extents:
            contents[extent.shard].append((file.fingerprint, extent.first_row, extent.rows))
    return [WrittenShard(shard, tuple(rows)) for shard, rows in contents.items()]


def _write_vectors(
    folder: Path, files: Sequence[EncodedFile], spaces: Mapping[SpaceName, Space]
) -> Iterator[WrittenShard]:
    """One shard for each space in which the files have vectors."""
    contents = {file.fingerprint: file.vectors for file in files}
    for space in spaces.values():
        parts = [
            (fingerprint, vectors)
            for fingerprint, of_file in contents.items()
            for vectors in of_file
            if vectors.space == space.name and len(vectors.vectors)
        ]
        if parts:
            shard = write_shard(folder, space, [vectors for _, vectors in parts])
            yield _written_shard(shard, [(fingerprint, len(vectors.vectors)) for fingerprint, vectors in parts])


def _write_features(folder: Path, files: Sequence[EncodedFile]) -> Iterator[WrittenShard]:
    """One feature shard for each codec and dimension. Features without steps are left out."""
    contents: dict[str, CodecFeatures] = {}
    for file in files:
        if file.features is not None and file.features.steps.size:
            contents.setdefault(file.fingerprint, file.features)
    kinds: dict[tuple[str, int], list[tuple[str, CodecFeatures]]] = {}
    for fingerprint, features in contents.items():
        kinds.setdefault((features.codec, features.steps.shape[1]), []).append((fingerprint, features))
    for parts in kinds.values():
        shard = write_features(folder, [features for _, features in parts])
        yield _written_shard(shard, [(fingerprint, len(features.steps)) for fingerprint, features in parts])


def _written_shard(shard: Shard, parts: Sequence[tuple[str, int]]) -> WrittenShard:
    """A shard that contains (fingerprint, rows) one after the other."""
    firsts = [0, *accumulate(rows for _, rows in parts)][:-1]
    contents = zip(parts, firsts, strict=True)
    return WrittenShard(shard, tuple((fingerprint, first, rows) for (fingerprint, rows), first in contents))
