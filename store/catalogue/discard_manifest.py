"""`shards.json` in a quarantine: what its shards held, so that they can be taken back.

It also keeps shards from being swept that were discarded while their drive was not connected.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pesearch.errors import LibraryDamaged
from pesearch.store.catalogue.discarded import Discarded, MarkedLocation
from pesearch.store.disk.durable import disk_errors, write_durably
from pesearch.store.disk.quarantine import quarantines
from pesearch.store.shards.format import FeatureShard, Shard, VectorShard
from pesearch.store.shards.records import WrittenShard
from pesearch.types import Space, SpaceName

MANIFEST_FILE = "shards.json"

_FORMAT = 1


def write_manifest(quarantine: Path, discarded: Discarded) -> None:
    """Write or replace the manifest of a quarantine, durably."""
    described = _to_json(discarded)
    content = json.dumps({"format": _FORMAT, "checksum": _checksum(described), **described}, indent=1).encode()
    with disk_errors(quarantine.parent):
        write_durably(quarantine / MANIFEST_FILE, lambda sink: sink.write(content))


def read_manifest(quarantine: Path) -> Discarded | None:
    """The manifest of a quarantine; None if it has none. Raises LibraryDamaged, LibraryUnavailable."""
    path = quarantine / MANIFEST_FILE
    with disk_errors(quarantine.parent):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
    try:
        return _from_json(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LibraryDamaged(f"{path} cannot be read: move {quarantine} out of the library") from error


def read_manifests(folder: Path) -> Mapping[Path, Discarded]:
    """The manifests of all quarantines of the library in `folder`. Errors as in `read_manifest`."""
    with disk_errors(folder):
        found = {quarantine: read_manifest(quarantine) for quarantine in quarantines(folder)}
    return {quarantine: discarded for quarantine, discarded in found.items() if discarded is not None}


def _checksum(described: Mapping[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(described, sort_keys=True).encode(), digest_size=16).hexdigest()


def _to_json(discarded: Discarded) -> dict[str, Any]:
    return {
        "library": discarded.library_id,
        "spaces": [{**asdict(space), "name": space.name.value} for space in discarded.spaces],
        "shards": [{"shard": _shard_to_json(each.shard), "contents": each.contents} for each in discarded.shards],
        "locations": [{**asdict(each), "path": os.fsdecode(each.path)} for each in discarded.locations],
    }


def _from_json(content: Any) -> Discarded:
    if content["format"] != _FORMAT:
        raise ValueError("written by a newer pesearch")
    described = {name: value for name, value in content.items() if name not in ("format", "checksum")}
    if content["checksum"] != _checksum(described):
        raise ValueError("differs from what was written")
    return Discarded(
        str(content["library"]),
        tuple(Space(**{**space, "name": SpaceName(space["name"])}) for space in content["spaces"]),
        tuple(
            WrittenShard(
                _shard_from_json(each["shard"]),
                tuple((str(owner), int(first_row), int(rows)) for owner, first_row, rows in each["contents"]),
            )
            for each in content["shards"]
        ),
        tuple(MarkedLocation(**{**each, "path": os.fsencode(each["path"])}) for each in content["locations"]),
    )


def _shard_to_json(shard: Shard) -> dict[str, Any]:
    return {**asdict(shard), "space": shard.space.value} if isinstance(shard, VectorShard) else asdict(shard)


def _shard_from_json(content: Any) -> Shard:
    """Raises ValueError for a name that would be outside the folder of shards."""
    if Path(content["name"]).name != content["name"]:
        raise ValueError("not the name of a shard")
    if "space" in content:
        return VectorShard(**{**content, "space": SpaceName(content["space"])})
    return FeatureShard(**content)
