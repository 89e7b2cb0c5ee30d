"""From where the page may be reached: this machine alone, or others that know a token."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from pesearch.errors import ServingError

HERE = "127.0.0.1"

SHORTEST_TOKEN = 16
"""Characters. As random as `secrets.token_urlsafe` makes them, these are 96 bits: nobody guesses so many."""


@dataclass(frozen=True, slots=True)
class Access:
    """The address that is listened on, the names by which browsers may call it, and the token that they need, if any.

    Where `any_address` is set, every numeric address is such a name too: it cannot be made to point elsewhere.
    """

    address: str = HERE
    names: frozenset[str] = frozenset({HERE, "localhost"})
    any_address: bool = False
    token: str | None = field(default=None, repr=False)

    def allows_host(self, host: str) -> bool:
        """Whether a browser that calls us by this name (with or without a port) means us.

        A page of another site can make its own name point to this machine, but its browser still sends that name.
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self.names or (self.any_address and _is_address(name))

    def page_address(self, port: int) -> str:
        """Where the owner finds the page."""
        host = "localhost" if self.any_address else f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{port}/" + (f"?token={self.token}" if self.token else "")


def access_for(listen: str, names: Sequence[str], token: str | None) -> Access:
    """The access that the user asks for. Raises ServingError."""
    if not _is_address(listen):
        raise ServingError(f"--listen takes a numeric address of this machine, like 192.168.1.5, not {listen}")
    address = ip_address(listen)
    if not (token or address.is_loopback):
        raise ServingError(f"Listening on {listen} lets other machines in: add a secret, like --token {_random()}")
    if token is not None and (len(token) < SHORTEST_TOKEN or not _fits_an_address(token)):
        raise ServingError(
            f"A token needs {SHORTEST_TOKEN} or more letters, digits, - or _ to be safe, like --token {_random()}"
        )
    called = {listen, *(name.lower() for name in names)}
    if address.is_loopback or address.is_unspecified:
        called.add("localhost")
    return Access(str(address), frozenset(called), address.is_unspecified, token)


def ensure_free(access: Access, port: int) -> None:
    """Raises ServingError when the port is in use, or the address is not of this machine."""
    family = socket.AF_INET6 if ":" in access.address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((access.address, port))
            listener.listen()
        except OSError as error:
            raise ServingError(
                f"Cannot listen on {access.address}, port {port}: {error.strerror} (--port takes another one)"
            ) from error


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _fits_an_address(token: str) -> bool:
    return token.isascii() and token.replace("-", "").replace("_", "").isalnum()


def _random() -> str:
    return secrets.token_urlsafe(24)
