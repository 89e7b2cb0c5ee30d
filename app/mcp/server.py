"""The server of the Model Context Protocol, on stdin and stdout, with the official SDK (the extra `mcp`)."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import msgspec
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ImageContent,
    ListToolsResult,
    TextContent,
    Tool,
    ToolAnnotations,
)

from pesearch import __version__
from pesearch.app.http_api.openapi import parameter_schema
from pesearch.app.http_api.parameters import convert_parameters
from pesearch.app.mcp.guide import INSTRUCTIONS
from pesearch.app.mcp.tools import AgentTool, ToolAnswer, agent_tools
from pesearch.app.server_state import has_library
from pesearch.errors import LibraryNotFound, PesearchError, QuerySyntaxError

_DEFINITIONS = "#/$defs/{name}"


def serve_agent(folder: Path, *, may_index: bool) -> None:
    """Serve the library in `folder` to one client until it closes stdin. Models load on first use.

    Raises LibraryDamaged, LibraryTooNew, LibraryNotFound: there is no library that can be used, and none may be made.
    """
    os.environ["PESEARCH_LIBRARY"] = str(folder)
    if not has_library() and not may_index:
        raise LibraryNotFound(f"There is no library in {folder}: index files first, or allow it with --allow-index")
    anyio.run(_serve, agent_server(agent_tools(may_index=may_index)))


def agent_server(tools: Sequence[AgentTool]) -> Server[Any]:
    """The server of some tools."""
    described, by_name = [_describe(tool) for tool in tools], {tool.name: tool for tool in tools}

    async def list_tools(_context: Any, _parameters: Any) -> ListToolsResult:
        return ListToolsResult(tools=described)

    async def call_tool(_context: Any, call: CallToolRequestParams) -> CallToolResult:
        tool = by_name.get(call.name)
        if tool is None:
            return _failure(f"there is no tool {call.name!r}: there are {', '.join(by_name)}")
        return await anyio.to_thread.run_sync(_call, tool, call.arguments or {}, abandon_on_cancel=True)

    return Server(
        "pesearch", version=__version__, instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool
    )


async def _serve(server: Server[Any]) -> None:
    async with stdio_server(stdout=_protocol_output()) as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def _protocol_output() -> anyio.AsyncFile[str]:
    """Standard output for the protocol alone: from now on descriptor 1 leads to stderr, to the end of this process.

    The SDK does so only while it serves, and what Python printed meanwhile would still be in its buffer then.
    """
    sys.stdout.flush()
    protocol = os.dup(1)
    os.dup2(2, 1)
    return anyio.wrap_file(os.fdopen(protocol, "w", encoding="utf-8", newline="\n"))


def _describe(tool: AgentTool) -> Tool:
    _, components = msgspec.json.schema_components([tool.parameters])
    return Tool(
        name=tool.name,
        description=tool.description,
        input_schema=parameter_schema(tool.parameters.__name__, components),
        output_schema=None if tool.answer is None else _object_schema(tool.answer),
        annotations=ToolAnnotations(
            read_only_hint=tool.is_read_only, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )


def _object_schema(kind: Any) -> dict[str, Any]:
    """A JSON schema whose root is the object, as the protocol demands, not a reference to it."""
    ((reference,), components) = msgspec.json.schema_components([kind], ref_template=_DEFINITIONS)
    root: dict[str, Any] = components.pop(reference["$ref"].rpartition("/")[2])
    return {**root, "$defs": components} if components else root


def _call(tool: AgentTool, arguments: Mapping[str, object]) -> CallToolResult:
    """Run a tool. Errors of users are results that an agent reads; others are logged, and fail the request."""
    try:
        return _result(tool.run(convert_parameters(tool.parameters, arguments)))
    except QuerySyntaxError as error:
        return _failure("\n".join((str(error), *error.caret_lines())))
    except PesearchError as error:
        return _failure(str(error))
    except OSError as error:
        return _failure(f"temporarily unavailable: {error.strerror}")
    except Exception as error:  # a fault of ours: named on stderr, and raised, so that the SDK fails the request
        sys.stderr.write(f"pesearch: unexpected {type(error).__name__} in the tool {tool.name}: {error}\n")
        raise


def _result(answer: ToolAnswer) -> CallToolResult:
    content: list[TextContent | ImageContent] = []
    structured = None
    if answer.content is None:
        content.append(_text(answer.text))
    else:
        document = _unicode_json(msgspec.to_builtins(answer.content))
        structured = json.loads(document)
        content.append(_text(document))
    pictures = (base64.b64encode(picture).decode() for picture in answer.pictures)
    content += [ImageContent(type="image", data=picture, mime_type="image/jpeg") for picture in pictures]
    content += map(_text, answer.notes)
    return CallToolResult(content=list(content), structured_content=structured)


def _unicode_json(value: object) -> str:
    """JSON without the bytes that are no UTF-8 in names of files, which the protocol cannot carry."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode("utf-8")


def _failure(line: str) -> CallToolResult:
    return CallToolResult(content=[_text(line)], is_error=True)


def _text(text: str) -> TextContent:
    return TextContent(type="text", text=text)
