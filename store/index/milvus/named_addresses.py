"""The Milvus addresses that this user has named, and the tokens for them.

A library is a folder, which can come from anybody, and it says where its vectors are searched. So pesearch connects
only to addresses that this user has named: with `--vectors`, which are remembered in the user's configuration, or
together with a token in the environment. A token goes to no other server.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from pesearch.errors import VectorServerError
from pesearch.file_owner import has_mode, is_own_or_roots
from pesearch.settings import config_folder
from pesearch.store.catalogue.vector_backend import DEFAULT_PORT, TOKEN_VARIABLE, MilvusAddress
from pesearch.store.disk.durable import write_atomically

_FILE_NAME = "milvus_addresses"

_log = logging.getLogger(__name__)


def remember(address: MilvusAddress) -> None:
    """Remember an address that the user has named. Raises VectorServerError when that is impossible."""
    named = _remembered()
    if _key(address.uri) in map(_key, named):
        return
    content = "".join(f"{uri}\n" for uri in (*named, address.uri)).encode(errors="surrogateescape")
    path = _path()

    def write(file: BinaryIO) -> None:
        if sys.platform != "win32":
            os.fchmod(file.fileno(), 0o600)
        file.write(content)

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, write, durable=False)
    except OSError as error:
        raise VectorServerError(
            f"{path} cannot be written ({error.strerror}), where named servers are remembered: put the server and its "
            f"token into {TOKEN_VARIABLE}, as in 'https://HOST:19530 user:password'"
        ) from error


def is_named(address: MilvusAddress) -> bool:
    """Whether the user has named an address. Raises VectorServerError for a malformed TOKEN_VARIABLE."""
    return _key(address.uri) in {*map(_key, _remembered()), *_tokens()}


def ensure_named(address: MilvusAddress) -> None:
    """Raises VectorServerError, with the command that allows it, for an address that only a library names."""
    if not is_named(address):
        raise VectorServerError(
            f"This library names {address}, which you have not: `pesearch index --vectors {address}` allows it, "
            "`pesearch index --vectors faiss` searches without it"
        )


def token_for(address: MilvusAddress) -> str:
    """The token for a server that was named; "" if there is none. Warns, in the log, when it is sent unencrypted."""
    token = _tokens().get(_key(address.uri)) or _common_token()
    if token and _is_readable_by_others(address):
        _log.warning("pesearch: the Milvus token is sent unencrypted to %s: use https if it can", address.uri)
    return token


def _tokens() -> Mapping[tuple[str, str, int], str]:
    """The tokens that are bound to a server."""
    words = os.environ.get(TOKEN_VARIABLE, "").split()
    if len(words) <= 1:
        return {}
    if len(words) % 2 or not all(uri.startswith(("http://", "https://")) for uri in words[::2]):
        raise VectorServerError(
            f"{TOKEN_VARIABLE} is a token, or servers with their tokens: 'https://HOST:19530 user:password ...'"
        )
    return {_key(uri): token for uri, token in zip(words[::2], words[1::2], strict=True)}


def _common_token() -> str:
    """The token for all named servers."""
    words = os.environ.get(TOKEN_VARIABLE, "").split()
    return words[0] if len(words) == 1 else ""


def _key(uri: str) -> tuple[str, str, int]:
    """Scheme, host and port of a server; the path of a file."""
    parts = urlsplit(uri)
    try:
        return (parts.scheme, parts.hostname, parts.port or DEFAULT_PORT) if parts.hostname else ("", uri, 0)
    except ValueError:  # a port that is no number
        return "", uri, 0


def _is_readable_by_others(address: MilvusAddress) -> bool:
    """Whether what is sent to a server crosses a network unencrypted."""
    parts = urlsplit(address.uri)
    if parts.scheme != "http" or parts.hostname == "localhost":
        return False
    try:
        return not ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return True


def _remembered() -> list[str]:
    """The remembered addresses; none if there is no file. Raises VectorServerError if others can change it."""
    path = _path()
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise VectorServerError(f"{path} cannot be read: {error.strerror}") from error
    if not is_own_or_roots(status) or has_mode(status, 0o022):
        raise VectorServerError(f"{path} belongs to another user, or others can change it: delete it")
    return content.decode(errors="surrogateescape").splitlines()


def _path() -> Path:
    return config_folder() / _FILE_NAME
