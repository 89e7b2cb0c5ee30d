"""`pesearch serve`: the API without the page, and the commands of docs/api.md."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pesearch.cli.main import command_line
from pesearch.store.library import Library
from tests.app.server_process import Server, free_port, running, serve_command, wait_for_answer

pytestmark = pytest.mark.slow

TOKEN = "a-token-that-nobody-guesses"

BEARER = f"Bearer {TOKEN}"

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api.md"

VOLATILE = {"library", "path", "file_id", "score"}
"""Fields whose values belong to a machine or library."""

DOCUMENTED_ID = "11"
"""The number of siren_train.mp4 in the library of the document."""


@pytest.fixture(scope="module")
def server(sample_library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    file = tmp_path_factory.mktemp("token") / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    with running(sample_library.folder, "--token-file", str(file), command_of=serve_command) as server:
        yield server


def test_programs_search_with_the_token(server: Server) -> None:
    found = json.loads(server.get("/api/search?q=siren+and+train&k=1", Authorization=BEARER).body)
    assert Path(found["moments"][0]["path"]).name == "siren_train.mp4"
    for refused in ({}, {"Authorization": f"{BEARER}x"}):
        answer = server.get("/api/search?q=siren", **refused)
        assert (answer.status, list(json.loads(answer.body))) == (401, ["error"])
    assert server.get("/api/search?q=siren", Authorization=BEARER, Host="example.org").status == 400
    assert server.get("/api/search?q=siren", Authorization=BEARER, Origin="http://example.org").status == 403


@pytest.mark.parametrize("path", ["/", "/search", "/clip/1", "/_stcore/health", "/_stcore/stream", "/index.html"])
def test_there_is_no_page(server: Server, path: str) -> None:
    assert server.get(path, Authorization=BEARER).status == 404


def test_queries_in_a_terminal_use_its_models(
    server: Server, sample_library: Library, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["pesearch", "query", "siren and train", "--json", "--verbose", "--library", str(sample_library.folder)]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit):
        command_line()
    printed = capfd.readouterr()
    assert "answered by the running page" in printed.err
    answer = server.get("/api/search?q=siren+and+train", Authorization=BEARER)
    assert json.loads(printed.out) == json.loads(answer.body)


def test_a_signal_ends_it(sample_library: Library) -> None:
    port = free_port()
    command = serve_command(sample_library.folder, port, "--no-token")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert f"serving http://127.0.0.1:{port}/api/status (stop" in process.stderr.readline()
        wait_for_answer(process, Server(f"http://127.0.0.1:{port}", port, process.pid))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM


@pytest.mark.parametrize("options", [("--no-token", "--listen", "0.0.0.0"), ("--token", "short")])
def test_wrong_options_end_with_one_line(
    sample_library: Library, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.delenv("PESEARCH_TOKEN", raising=False)
    monkeypatch.setattr(sys, "argv", ["pesearch", *serve_command(sample_library.folder, free_port(), *options)[3:]])
    with pytest.raises(SystemExit) as ended:
        command_line()
    assert ended.value.code == 2
    assert capfd.readouterr().err.splitlines()[-1].startswith("pesearch: ")


def test_without_a_library_it_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PESEARCH_LIBRARY", "")  # restored after the test: the command sets it
    monkeypatch.setattr(sys, "argv", ["pesearch", "serve", "--library", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        command_line()
    assert (ended.value.code, "There is no library in" in capfd.readouterr().err) == (2, True)


def documented() -> list[tuple[str, str]]:
    """Each curl command of the document, and the output below it."""
    found: list[tuple[str, str]] = []
    in_output = False
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("    $ curl "):
            found.append((line.removeprefix("    $ "), ""))
        elif in_output and line.startswith("    "):
            found[-1] = (found[-1][0], found[-1][1] + line + "\n")
        in_output = bool(line.startswith("    $ curl ") or (in_output and line.startswith("    ")))
    return found


def is_part(part: Any, whole: Any, name: str = "") -> bool:
    """Whether a documented value is in an answer: it may leave fields out, and shows the first entries of lists."""
    if isinstance(part, dict):
        return all(key in whole and is_part(value, whole[key], key) for key, value in part.items())
    if isinstance(part, list):
        return len(part) <= len(whole) and all(is_part(*pair, name) for pair in zip(part, whole, strict=False))
    return type(part) is type(whole) if name in VOLATILE else bool(part == whole)


@pytest.mark.parametrize(("command", "output"), documented(), ids=lambda each: each[:70])
def test_commands_of_the_document(
    server: Server, sample_library: Library, tmp_path: Path, command: str, output: str
) -> None:
    (file_id,) = (file.id for file in sample_library.files() if file.path.name == "siren_train.mp4")
    line = command.replace("http://127.0.0.1:8502", server.address)
    line = line.replace(f"moments/{DOCUMENTED_ID}/", f"moments/{file_id}/")
    line = line.replace(f"file_id={DOCUMENTED_ID}&", f"file_id={file_id}&")
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "TOKEN": TOKEN}
    )
    assert done.returncode == 0
    if output.strip():
        assert is_part(json.loads(output), json.loads(done.stdout))
    else:
        (saved,) = tmp_path.iterdir()
        assert saved.stat().st_size > 1000


def test_the_document_has_commands() -> None:
    assert len(documented()) >= 5
