"""Access to the page: the address it listens on, the host names browsers may use, and the token they need.

Every user of a machine can connect to its loopback addresses, so a token is needed there too unless it is declined.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pesearch.errors import ServingError
from pesearch.file_owner import has_mode

LOOPBACK = "127.0.0.1"

TOKEN_PARAMETER = "token"
"""The name of the token in a query string."""

MIN_TOKEN_LENGTH = 16
"""Characters. A random token of this length (`secrets.token_urlsafe`) has 96 bits and cannot be guessed."""

RANDOM_TOKEN_BYTES = 24
"""192 random bits, 32 characters: the token of a server that was not given one."""


@dataclass(frozen=True, slots=True)
class Access:
    """The address to listen on, the host names that browsers may use for it, and the token they need, if any.

    With `any_address` every numeric address is an allowed host name too: it cannot be made to point elsewhere.
    `is_read_only` is for viewers, who can neither index nor name paths.
    """

    address: str = LOOPBACK
    names: frozenset[str] = frozenset({LOOPBACK, "localhost"})
    any_address: bool = False
    token: str | None = field(default=None, repr=False)
    is_read_only: bool = False

    def allows_host(self, host: str) -> bool:
        """Whether `host`, the Host header of a request (with or without a port), names this server.

        This stops DNS rebinding: another site can make its own name point to this machine, but the browser still
        sends that name.
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self.names or (self.any_address and _is_address(name))

    def page_url(self, port: int, path: str = "/") -> str:
        """The URL at which the owner opens the page, or something else of this server, with the token."""
        host = "localhost" if self.any_address else f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{port}{path}" + (f"?{TOKEN_PARAMETER}={self.token}" if self.token else "")


def access_for(listen: str, names: Sequence[str], token: str | None, is_read_only: bool = False) -> Access:
    """The access for the options `--listen`, `--host` and `--read-only`; `token` may be None. Raises ServingError."""
    if not _is_address(listen):
        raise ServingError(f"--listen takes a numeric address of this machine, like 192.168.1.5, not {listen}")
    address = ip_address(listen)
    if not (token or address.is_loopback):
        raise ServingError(f"--listen {listen} lets other machines in, so it needs a token: leave out --no-token")
    if token is not None and (len(token) < MIN_TOKEN_LENGTH or not _is_url_safe(token)):
        raise ServingError(
            f"The token needs {MIN_TOKEN_LENGTH} or more letters, digits, - or _: leave it out to get a random one"
        )
    host_names = {listen, *(name.lower() for name in names)}
    if address.is_loopback or address.is_unspecified:
        host_names.add("localhost")
    return Access(str(address), frozenset(host_names), address.is_unspecified, token, is_read_only)


def choose_token(token: str | None, token_file: Path | None, no_token: bool) -> str | None:
    """The token for the options `--token`, `--token-file` and `--no-token`: a random one without any of them, None
    with the last. Raises ServingError for two of them, and for a file that other users can read.
    """
    if (token is not None) + (token_file is not None) + no_token > 1:
        raise ServingError("Use only one of --token, PESEARCH_TOKEN, --token-file and --no-token")
    if token_file is not None:
        return _read_token(token_file)
    return None if no_token else token if token is not None else secrets.token_urlsafe(RANDOM_TOKEN_BYTES)


def _read_token(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            if has_mode(os.fstat(file.fileno()), 0o077):
                raise ServingError(f"Other users can open {path}: run `chmod 600 {path}` and choose a new token")
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ServingError(f"The token file {path} cannot be read: {reason}") from error


def ensure_free(access: Access, port: int) -> None:
    """Raises ServingError when the port is in use, or the address does not belong to this machine."""
    family = socket.AF_INET6 if ":" in access.address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((access.address, port))
            listener.listen()
        except OSError as error:
            raise ServingError(
                f"Cannot listen on {access.address}, port {port}: {error.strerror} (choose another one with --port)"
            ) from error


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_url_safe(token: str) -> bool:
    return token.isascii() and token.replace("-", "").replace("_", "").isalnum()
