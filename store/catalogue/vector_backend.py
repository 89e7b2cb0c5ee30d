"""The backend that searches a library's vectors: FAISS in this process, or a Milvus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pesearch.errors import VectorServerError

FAISS = "faiss"
SCHEME = "milvus:"
TOKEN_VARIABLE = "PESEARCH_MILVUS_TOKEN"
"""Environment variable with the token for the servers that the user has named, `user:password` or an API key, or with
servers and their tokens, `https://HOST:19530 user:password ...`. Never stored or printed."""

DEFAULT_PORT = 19530
"""The port of a Milvus server."""

_LITE_ENDING = ".db"
_SERVER_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class MilvusAddress:
    """A Milvus: a server (`http://host:19530`) or the absolute path of a Milvus Lite file (`/path/to.db`)."""

    uri: str

    @property
    def is_lite(self) -> bool:
        """Whether it runs inside this process. Only one process at a time can use the file."""
        return self.uri.endswith(_LITE_ENDING)

    def __str__(self) -> str:
        """As on the command line."""
        return f"{SCHEME}{self.uri}"


def parse_vectors(text: str) -> MilvusAddress | None:
    """Parse the value of `--vectors`; None for FAISS. Raises VectorServerError if it is invalid or contains a
    password."""
    if text == FAISS:
        return None
    uri = text.removeprefix(SCHEME)
    parts = urlsplit(uri)
    if uri != text and parts.scheme in _SERVER_SCHEMES and parts.hostname:
        if parts.username or parts.password or parts.query or parts.fragment:
            raise VectorServerError(
                f"The library stores the address, so it must contain no password: "
                f"use {SCHEME}{parts.scheme}://HOST:PORT, and set {TOKEN_VARIABLE} to user:password"
            )
        return MilvusAddress(uri.rstrip("/"))
    if uri != text and "://" not in uri and uri.endswith(_LITE_ENDING):
        return MilvusAddress(str(Path(uri).expanduser().resolve()))
    raise VectorServerError(
        f"{text!r} is not a vector backend: use {FAISS}, {SCHEME}FILE{_LITE_ENDING} (Milvus Lite, in this process) "
        f"or {SCHEME}http://HOST:19530"
    )
