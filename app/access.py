"""Access to the page: from this machine only, or from other machines that have a token."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from pesearch.errors import ServingError

LOOPBACK = "127.0.0.1"

MIN_TOKEN_LENGTH = 16
"""Characters. A random token of this length (`secrets.token_urlsafe`) has 96 bits and cannot be guessed."""


@dataclass(frozen=True, slots=True)
class Access:
    """The address to listen on, the host names that browsers may use for it, and the token they need, if any.

    With `any_address` every numeric address is an allowed host name too: it cannot be made to point elsewhere.
    """

    address: str = LOOPBACK
    names: frozenset[str] = frozenset({LOOPBACK, "localhost"})
    any_address: bool = False
    token: str | None = field(default=None, repr=False)

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

    def page_url(self, port: int) -> str:
        """The URL at which the owner opens the page, with the token."""
        host = "localhost" if self.any_address else f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{port}/" + (f"?token={self.token}" if self.token else "")


def access_for(listen: str, names: Sequence[str], token: str | None) -> Access:
    """The access for the options `--listen`, `--host` and `--token`. Raises ServingError."""
    if not _is_address(listen):
        raise ServingError(f"--listen takes a numeric address of this machine, like 192.168.1.5, not {listen}")
    address = ip_address(listen)
    if not (token or address.is_loopback):
        raise ServingError(f"Listening on {listen} allows other machines: add a secret, like --token {_random_token()}")
    if token is not None and (len(token) < MIN_TOKEN_LENGTH or not _is_url_safe(token)):
        raise ServingError(
            f"The token needs {MIN_TOKEN_LENGTH} or more letters, digits, - or _, like --token {_random_token()}"
        )
    host_names = {listen, *(name.lower() for name in names)}
    if address.is_loopback or address.is_unspecified:
        host_names.add("localhost")
    return Access(str(address), frozenset(host_names), address.is_unspecified, token)


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


def _random_token() -> str:
    return secrets.token_urlsafe(24)
