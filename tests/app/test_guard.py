"""Access control of a real server: only its own pages, on this machine or with the token."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from pesearch.app.access import Access, access_for, choose_token
from pesearch.cli.main import command_line
from pesearch.errors import ServingError
from pesearch.search.server.socket_path import open_socket_path, socket_folder
from pesearch.store.library import Library
from tests.app.server_process import Server, app_command, free_port, running

TOKEN = "a-token-that-nobody-guesses"

PATHS = ["/", "/clip/2", "/thumb/1/0.jpg", "/_stcore/health", "/_stcore/host-config", "/static/js/none.js"]


Greet = Callable[..., int]


@pytest.fixture
def server(page_server: Server) -> Server:
    return page_server


@pytest.fixture
def greet(run_async: Callable[[Coroutine[Any, Any, int]], int]) -> Greet:
    """Opens a websocket and returns the status of the handshake: 101 when it is accepted."""

    async def handshake(server: Server, path: str, headers: dict[str, str]) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        host = named.pop("Host", f"127.0.0.1:{server.port}")
        try:
            async with connect(
                f"ws://{host}{path}", host="127.0.0.1", port=server.port, additional_headers=named,
                subprotocols=["streamlit"], proxy=None,
            ):  # fmt: skip
                return 101
        except InvalidStatus as error:
            return error.response.status_code

    return lambda server, path="/_stcore/stream", **headers: run_async(handshake(server, path, headers))


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_requests_of_other_sites_are_refused(server: Server, path: str) -> None:
    ours = f"http://127.0.0.1:{server.port}"
    assert server.get(path, Origin=ours, Sec_Fetch_Site="same-origin").status in (200, 404)
    for origin in ("https://example.org", f"http://127.0.0.1:{server.port + 1}", "http://127.0.0.1", "null", ""):
        assert server.get(path, Origin=origin).status == 403
    for site in ("cross-site", "same-site"):
        assert server.get(path, Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors", Sec_Fetch_Dest="image").status == 403
        assert server.get(path, Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="iframe").status == 403
        link = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
        assert server.get(path, **link).status in (200, 404)
        assert server.get(path, "POST", **link).status == 403


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_other_host_names_are_refused(server: Server, path: str) -> None:
    for host in ("example.org", f"example.org:{server.port}", "127.0.0.1.example.org", "192.168.1.5", "a@b:c", "[::"):
        assert server.get(path, Host=host).status == 400
    assert server.get(path, Host=f"LOCALHOST:{server.port}").status in (200, 404)


@pytest.mark.slow
def test_websockets_of_other_sites_are_refused(server: Server, greet: Greet) -> None:
    ours = f"http://127.0.0.1:{server.port}"
    assert greet(server, Origin=ours) == 101
    assert greet(server, Origin="https://example.org") == 403
    assert greet(server, Origin=f"http://127.0.0.1:{server.port + 1}") == 403
    assert greet(server, Origin="http://example.org", Host="example.org") == 403
    assert greet(server, Origin=ours, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="websocket") == 403


@pytest.mark.slow
@pytest.mark.parametrize("path", [*PATHS, "/clip/nothing"])
def test_every_response_has_the_security_headers(server: Server, path: str) -> None:
    headers = server.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers


@pytest.fixture(scope="module")
def locked(page_library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on all addresses, with a token."""
    file = tmp_path_factory.mktemp("token") / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    options = ("--listen", "0.0.0.0", "--host", "studio.local", "--token-file", str(file))
    with running(page_library.folder, *options) as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_requests_without_the_token_are_refused(locked: Server, path: str) -> None:
    assert locked.get(path).status == 401
    for wrong in ("", TOKEN[:-1], TOKEN + "x", "%ff%fe"):
        assert locked.get(f"{path}?token={wrong}").status == 401
    assert locked.get(path, Cookie=f"pesearch_{locked.port}={TOKEN}").status == 401
    assert locked.get(f"{path}?token={TOKEN}").status in (200, 404)


@pytest.mark.slow
def test_the_token_opens_a_session(locked: Server, greet: Greet) -> None:
    cookie = locked.get(f"/?token={TOKEN}", Accept="text/html").headers["set-cookie"].partition(";")[0]
    for path in ("/", "/clip/2"):
        assert locked.get(path, Cookie=cookie).status == 200
    assert greet(locked) == 403
    assert greet(locked, Cookie=cookie) == 101
    assert greet(locked, f"/_stcore/stream?token={TOKEN}") == 101
    assert greet(locked, Cookie=cookie, Origin="http://example.org") == 403


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_of_the_machine_gets_nothing(locked: Server, page_library: Library) -> None:
    websocket = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}

    def tries() -> dict[str, object]:
        statuses = {locked.get(path).status for path in [*PATHS, "/proxy/1/0-1000.mp4", "/_stcore/metrics"]}
        handshake = locked.get("/_stcore/stream", **websocket | {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="})
        arguments = Path(f"/proc/{locked.pid}/cmdline").read_bytes()
        return {
            "statuses": sorted(statuses),
            "websocket": handshake.status,
            "token in arguments": TOKEN.encode() in arguments,
            "environment": error_of(lambda: Path(f"/proc/{locked.pid}/environ").read_bytes()),
            "socket": error_of(lambda: socket.socket(socket.AF_UNIX).connect(str(socket_path))),
        }

    with open_socket_path(page_library.folder) as opened:
        socket_path = socket_folder() / opened.name
    assert socket_path.is_socket()
    assert as_another_user(tries) == {
        "statuses": [401],
        "websocket": 401,
        "token in arguments": False,
        "environment": "PermissionError",
        "socket": "PermissionError",
    }


def error_of(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return ""


def as_another_user(tries: Callable[[], dict[str, object]]) -> dict[str, object]:
    """What a function returns in a process of the user `nobody`."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os.write(writing, json.dumps(tries()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        found: dict[str, object] = json.loads(answer.read())
    os.waitpid(child, 0)
    return found


@pytest.mark.slow
def test_host_names_of_a_server_for_other_machines(locked: Server) -> None:
    for host in ("192.168.1.5:8501", "studio.local", "localhost", "[::1]:8501"):
        assert locked.get(f"/?token={TOKEN}", Host=host).status == 200
    for host in ("example.org", "studio.local.example.org"):
        assert locked.get(f"/?token={TOKEN}", Host=host).status == 400


@pytest.mark.parametrize(
    "options",
    [
        ["--listen", "0.0.0.0", "--no-token"], ["--token", "short"], ["--listen", "example.org"], ["--read-only"],
        ["--token", TOKEN, "--no-token"], ["--token-file", "missing"],
    ],
)  # fmt: skip
def test_invalid_access_options_end_with_one_line(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PESEARCH_TOKEN", raising=False)
    monkeypatch.setattr(sys, "argv", ["pesearch", *app_command(tmp_path, free_port(), *options)[3:]])
    with pytest.raises(SystemExit) as ended:
        command_line()
    error = capfd.readouterr().err.splitlines()[-1]
    assert ended.value.code == 2
    assert error.startswith("pesearch: ")
    assert TOKEN not in error


@pytest.mark.parametrize(
    ("listen", "token", "message"),
    [
        ("0.0.0.0", None, "--no-token"),
        ("::", None, "--no-token"),
        ("192.168.1.5", "", "--no-token"),
        ("127.0.0.1", "fifteen-letters", "16 or more"),
        ("192.168.1.5", "sixteen letters!", "letters, digits"),
        ("localhost", TOKEN, "numeric"),
    ],
)
def test_invalid_access_options_raise(listen: str, token: str | None, message: str) -> None:
    with pytest.raises(ServingError, match=message):
        access_for(listen, (), token)


def test_the_token_is_random_unless_it_is_given(tmp_path: Path) -> None:
    first, second = (choose_token(None, None, False) for _ in range(2))
    assert first and second and first != second
    access_for("127.0.0.1", (), first)
    assert choose_token(TOKEN, None, False) == TOKEN
    assert choose_token(None, None, True) is None
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    assert choose_token(None, file, False) == TOKEN


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_token_file_of_others_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(mode)
    with pytest.raises(ServingError, match=f"Other users can open {file}: run `chmod 600"):
        choose_token(None, file, False)


def test_host_names_and_urls_of_an_access() -> None:
    assert access_for("127.0.0.1", (), None) == Access()
    assert access_for("::1", (), None).page_url(8501) == "http://[::1]:8501/"
    assert access_for("0.0.0.0", (), TOKEN).page_url(8501) == f"http://localhost:8501/?token={TOKEN}"
    access = access_for("192.168.1.5", ["Studio.local"], TOKEN)
    assert [access.allows_host(host) for host in ("192.168.1.5:1", "studio.local:1", "192.168.1.6", "localhost")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert TOKEN not in repr(access)
