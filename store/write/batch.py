"""The shards of many files at a time: those of one space, or codec, follow one another in one shard.

The library's writer makes them just before it registers them. A worker on another machine makes them with
`store_files`, and the writer registers what it is told of them.
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
from pesearch.store.shards.vectors import check_storable, write_shard
from pesearch.types import CodecFeatures, EncodedFile, Space, SpaceName


def store_files(folder: Path, files: Sequence[EncodedFile], spaces: Sequence[Space]) -> list[StreamedFile]:
    """Writes shards for files of different contents, for the library in `folder`; they wait to be registered, together.

    Raises as `Writer.add`.
    """
    by_name = {space.name: space for space in spaces}
    check_files(files, by_name)
    extents: defaultdict[str, list[Extent[Shard]]] = defaultdict(list)
    for one in write_files(folder, files, by_name):
        for fingerprint, first_row, rows in one.contents:
            extents[fingerprint].append(Extent(one.shard, first_row, rows))
    return [
        StreamedFile(file.location, file.fingerprint, file.info, tuple(extents[file.fingerprint]), file.cues)
        for file in files
    ]


def check_files(files: Iterable[EncodedFile], spaces: Mapping[SpaceName, Space]) -> None:
    """`ValueError` for vectors that do not fit the spaces, or are not finite in float16, and for features that are not
    finite float16."""
    for file in files:
        for vectors in file.vectors:
            space = spaces.get(vectors.space)
            if space is None or vectors.vectors.shape[1] != space.dim:
                raise ValueError(f"{vectors!r} of {file.location.path!r} does not fit the library's spaces")
            check_storable(vectors)
        if file.features is not None:
            check_features(file.features)


def write_files(folder: Path, files: Sequence[EncodedFile], spaces: Mapping[SpaceName, Space]) -> list[WrittenShard]:
    """Writes shards for files that were checked. `NoSpaceLeft`, `LibraryError`."""
    with disk_errors(folder):
        return [*_write_vectors(folder, files, spaces), *_write_features(folder, files)]


def written_before(files: Iterable[StreamedFile]) -> list[WrittenShard]:
    """The shards that files lie in. Of a content that is given twice the last counts."""
    contents: defaultdict[Shard, list[tuple[str, int, int]]] = defaultdict(list)
    for file in {file.fingerprint: file for file in files}.values():
        for extent in file.extents:
            contents[extent.shard].append((file.fingerprint, extent.first_row, extent.rows))
    return [WrittenShard(shard, tuple(rows)) for shard, rows in contents.items()]


def _write_vectors(
    folder: Path, files: Sequence[EncodedFile], spaces: Mapping[SpaceName, Space]
) -> Iterator[WrittenShard]:
    """The shards of a batch, one for each space in which it has vectors."""
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
            yield _written(shard, [(fingerprint, len(vectors.vectors)) for fingerprint, vectors in parts])


def _write_features(folder: Path, files: Sequence[EncodedFile]) -> Iterator[WrittenShard]:
    """The feature shards of a batch, one for each codec and dimension. Features without steps are none."""
    contents: dict[str, CodecFeatures] = {}
    for file in files:
        if file.features is not None and file.features.steps.size:
            contents.setdefault(file.fingerprint, file.features)
    kinds: dict[tuple[str, int], list[tuple[str, CodecFeatures]]] = {}
    for fingerprint, features in contents.items():
        kinds.setdefault((features.codec, features.steps.shape[1]), []).append((fingerprint, features))
    for parts in kinds.values():
        shard = write_features(folder, [features for _, features in parts])
        yield _written(shard, [(fingerprint, len(features.steps)) for fingerprint, features in parts])


def _written(shard: Shard, parts: Sequence[tuple[str, int]]) -> WrittenShard:
    """A shard that holds so many rows of each content, one after the other."""
    firsts = [0, *accumulate(rows for _, rows in parts)][:-1]
    contents = zip(parts, firsts, strict=True)
    return WrittenShard(shard, tuple((fingerprint, first, rows) for (fingerprint, rows), first in contents))
