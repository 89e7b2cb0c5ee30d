"""`pesearch mcp` with the official client, over stdin and stdout of a process and in this process."""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import CallToolResult, ImageContent, TextContent
from PIL import Image

from pesearch.app.index_job import IndexProgress
from pesearch.app.mcp.server import agent_server
from pesearch.app.mcp.tools import _index_job, agent_tools
from pesearch.cli.main import command_line
from pesearch.settings import default_library
from pesearch.store.library import Library
from tests.app.api_client import RunAsync

NOISY = """
import os, sys
from pesearch.app.mcp import tools
from pesearch.cli.main import main

def search(parameters, real=tools.search):
    print("a library prints")
    os.write(1, b"a library in C prints\\n")
    return real(parameters)

tools.search = search
main()
"""
"""The command line, with a tool `search` that prints to stdout."""


@dataclass(frozen=True)
class Session:
    """The answers to a client in one session with a process, and what was on its stderr."""

    instructions: str
    names: list[str]
    searched: CallToolResult
    looked: CallToolResult
    exported: CallToolResult
    refused: CallToolResult
    noise: str


@pytest.fixture(scope="module")
def session(page_library: Library, run_async: RunAsync, tmp_path_factory: pytest.TempPathFactory) -> Session:
    noise = tmp_path_factory.mktemp("mcp") / "stderr"

    async def talk(errors: TextIO) -> dict[str, Any]:
        arguments = ["-c", NOISY, "mcp", "--library", str(page_library.folder)]
        parameters = StdioServerParameters(command=sys.executable, args=arguments)
        async with Client(stdio_client(parameters, errlog=errors)) as client:
            listed = await client.list_tools()
            searched = await client.call_tool("search", {"q": "siren and train", "k": 2})
            assert searched.structured_content is not None
            best = searched.structured_content["moments"][0]
            interval = {name: best[name] for name in ("file_id", "start", "end")}
            looked = await client.call_tool("moment", {**interval, "pictures": 2, "width": 320})
            exported = await client.call_tool("export", {"moments": [{**interval, "label": "both"}], "format": "edl"})
            refused = await client.call_tool("search", {"q": "siren AND"})
            return {
                "instructions": client.instructions or "", "names": [tool.name for tool in listed.tools],
                "searched": searched, "looked": looked, "exported": exported, "refused": refused,
            }  # fmt: skip

    with noise.open("w") as errors:
        told: dict[str, Any] = run_async(talk(errors))
    return Session(**told, noise=noise.read_text())


def text_of(result: CallToolResult, number: int = 0) -> str:
    block = result.content[number]
    assert isinstance(block, TextContent)
    return block.text


def test_a_client_lists_the_tools(session: Session) -> None:
    assert session.names == ["search", "moment", "events", "export", "status"]
    assert "file_id" in session.instructions


def test_a_client_searches(session: Session) -> None:
    found = session.searched.structured_content
    assert found is not None
    assert json.loads(text_of(session.searched)) == found
    assert Path(found["moments"][0]["path"]).name == "siren_train.mp4"
    assert {event["label"] for event in found["moments"][0]["events"]} == {"siren", "train"}


def test_a_client_gets_a_moment_with_pictures(session: Session, page_media: Path) -> None:
    assert session.looked.structured_content is not None
    assert session.looked.structured_content["file"]["path"] == str(page_media / "siren_train.mp4")
    pictures = [block for block in session.looked.content if isinstance(block, ImageContent)]
    assert [picture.mime_type for picture in pictures] == ["image/jpeg"] * 2
    frames = []
    for picture in pictures:
        with Image.open(io.BytesIO(base64.b64decode(picture.data))) as image:
            assert (image.format, image.size) == ("JPEG", (256, 192))  # that of the sample
            frames.append(image.tobytes())
    assert frames[0] != frames[1]


def test_a_client_exports_and_sees_mistakes(session: Session) -> None:
    assert not session.exported.is_error
    assert text_of(session.exported).startswith("TITLE: both")
    assert session.refused.is_error
    assert text_of(session.refused).splitlines() == [
        "at the end: expected something to look for after AND", "siren AND", "         ^",
    ]  # fmt: skip


def test_nothing_but_the_protocol_reaches_stdout(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    """The client logs each line that it cannot read."""
    assert "a library prints" in session.noise and "a library in C prints" in session.noise
    assert not [record for record in caplog.get_records("setup") if record.name.startswith("mcp")]


Call = Callable[..., CallToolResult]


@pytest.fixture
def call(page_library: Library, run_async: RunAsync, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls a tool of a server in this process."""
    monkeypatch.setenv("PESEARCH_LIBRARY", str(page_library.folder))

    async def ask(name: str, arguments: dict[str, Any], may_index: bool) -> CallToolResult:
        async with Client(agent_server(agent_tools(may_index=may_index))) as client:
            return await client.call_tool(name, arguments)

    return lambda name, may_index=False, **arguments: run_async(ask(name, arguments, may_index))


@pytest.fixture
def ids(page_library: Library) -> dict[str, int]:
    return {file.path.name: file.id for file in page_library.files()}


def test_sounds_are_located_in_a_file(call: Call, ids: dict[str, int]) -> None:
    found = call("events", file_id=ids["siren_train.mp4"], phrase=["siren"]).structured_content
    assert found is not None
    assert [event["label"] for event in found["events"]] == ["siren"]


def test_a_moment_has_as_many_pictures_as_it_can(call: Call, ids: dict[str, int]) -> None:
    def pictures(name: str, **arguments: Any) -> int:
        content = call("moment", file_id=ids[name], **arguments).content
        return sum(isinstance(block, ImageContent) for block in content)

    assert pictures("bell.mp4", start=0, end=2, pictures=0) == 0
    assert pictures("bell.mp4", start=0, end=2, pictures=5) == 5
    assert pictures("red_ball.png", start=0, end=0, pictures=5) == 1
    assert pictures("siren_alone.wav", start=0, end=2) == 0


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("moment", {"file_id": 999_999, "start": 0, "end": 1}, "has no file 999999"),
        ("moment", {"file_id": 1, "start": 2, "end": 1}, "ends before it starts"),
        ("search", {"q": "a", "path": "/etc"}, "unknown field path"),
        ("search", {"q": "a", "in": ["/etc"]}, "nothing of /etc is in this library"),
        ("search", {"q": 'file:"/etc/passwd"'}, "is not a file of this library"),
        ("export", {"moments": [], "format": "csv"}, "moments: "),
        ("export", {"moments": [{"file_id": 1, "start": 9e6, "end": 9e6}], "format": "csv"}, "ends at"),
        ("export", {"moments": [{"file_id": 1, "start": 0, "end": 1}], "format": "clips"}, "format: "),
        ("index", {"path": "/etc"}, "there is no tool 'index'"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_mistakes_are_results_that_an_agent_can_read(
    call: Call, name: str, arguments: dict[str, Any], says: str
) -> None:
    answer = call(name, **arguments)
    assert answer.is_error
    assert says in text_of(answer)


@pytest.mark.parametrize("name", ["csv", "json", "m3u", "edl", "otio", "fcpxml", "vtt"])
def test_every_text_format_is_exported(call: Call, ids: dict[str, int], name: str) -> None:
    moments = [{"file_id": ids["bell.mp4"], "start": 0.5, "end": 1.5, "label": "a bell rings"}]
    answer = call("export", moments=moments, format=name, pad=0.25)
    assert not answer.is_error
    assert "bell" in text_of(answer)


def test_a_file_is_indexed_only_where_that_is_allowed(call: Call, tmp_path: Path, page_media: Path) -> None:
    """A run with nothing new, which is quick; tests/app/test_index_job.py has the others."""
    assert [tool.name for tool in agent_tools(may_index=True) if not tool.is_read_only] == ["index"]
    assert call("index", may_index=True, path=str(tmp_path / "nothing")).is_error
    assert call("index", may_index=True, path="sample_media").is_error
    progress = call("index", may_index=True, path=str(page_media / "bell.mp4")).structured_content
    assert progress is not None
    assert (progress["is_over"], progress["stage"], progress["error"]) == (True, "done", "")


def test_another_path_is_not_taken_for_the_one_that_is_indexed(
    call: Call, page_media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _index_job(default_library())
    monkeypatch.setattr(job, "progress", IndexProgress())
    monkeypatch.setattr(job, "paths", (page_media / "bell.mp4",))
    refused = call("index", may_index=True, path=str(page_media))
    assert refused.is_error
    assert "bell.mp4 is being indexed" in refused.content[0].text


def test_without_the_sdk_one_line_says_what_to_install(
    page_library: Library, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "mcp"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "pesearch.app.mcp.server")
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setattr(sys, "argv", ["pesearch", "mcp", "--library", str(page_library.folder)])
    with pytest.raises(SystemExit) as ended:
        command_line()
    assert ended.value.code == 2
    assert capfd.readouterr().err.splitlines() == [
        "pesearch: the MCP SDK is not installed: run pip install 'pesearch[mcp]'"
    ]


def test_without_a_library_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PESEARCH_LIBRARY", "")  # restored after the test: the command sets it
    monkeypatch.setattr(sys, "argv", ["pesearch", "mcp", "--library", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        command_line()
    assert ended.value.code == 2
    assert capfd.readouterr().err.startswith(f"pesearch: There is no library in {tmp_path}")
