"""Where the vectors of a library are searched: here, by FAISS, or by a Milvus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pesearch.errors import VectorServerError

FAISS = "faiss"
SCHEME = "milvus:"
TOKEN_VARIABLE = "PESEARCH_MILVUS_TOKEN"
"""The environment variable with the token of a Milvus: `user:password`, or a key. It is never stored, nor shown."""

_LITE_ENDING = ".db"
_SERVER_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class MilvusAddress:
    """A Milvus: a server, `http://host:19530`, or the absolute path of a file of Milvus Lite, `/path/to.db`."""

    uri: str

    @property
    def is_lite(self) -> bool:
        """Whether it runs inside this process: of such a file one process can make use at a time."""
        return self.uri.endswith(_LITE_ENDING)

    def __str__(self) -> str:
        """As people write it."""
        return f"{SCHEME}{self.uri}"


def parse_vectors(text: str) -> MilvusAddress | None:
    """What `--vectors` says; None for FAISS. `VectorServerError` when it makes no sense, or holds a password."""
    if text == FAISS:
        return None
    uri = text.removeprefix(SCHEME)
    parts = urlsplit(uri)
    if uri != text and parts.scheme in _SERVER_SCHEMES and parts.hostname:
        if parts.username or parts.password or parts.query or parts.fragment:
            raise VectorServerError(
                f"An address is stored in the library, and so must hold no password: leave it at "
                f"{SCHEME}{parts.scheme}://HOST:PORT, and set {TOKEN_VARIABLE} to user:password"
            )
        return MilvusAddress(uri.rstrip("/"))
    if uri != text and "://" not in uri and uri.endswith(_LITE_ENDING):
        return MilvusAddress(str(Path(uri).expanduser().resolve()))
    raise VectorServerError(
        f"Vectors are searched by {FAISS}, {SCHEME}FILE{_LITE_ENDING} (Milvus Lite, in this process) "
        f"or {SCHEME}http://HOST:19530, not by {text!r}"
    )
