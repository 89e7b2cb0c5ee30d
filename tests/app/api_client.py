"""The API in this process, and the command line that it is compared with."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from pesearch.app.access import Access
from pesearch.app.api_server import api_app
from pesearch.cli.main import command_line
from tests.app.asgi import respond, scope_of
from tests.app.server_process import Answer

RunAsync = Callable[[Coroutine[Any, Any, Any]], Any]


class ApiClient:
    """Requests to the API of the library in PESEARCH_LIBRARY."""

    def __init__(self, run_async: RunAsync, access: Access | None = None) -> None:
        self._app, self._run_async = api_app(access or Access(), None), run_async

    def get(self, path: str, method: str = "GET", /, headers: Mapping[str, str] | None = None, **query: Any) -> Answer:
        """The answer. Parameters with lists are repeated; `in_` is `in`."""
        pairs = {name.rstrip("_"): value for name, value in query.items()}
        url = f"{path}?{urlencode(pairs, doseq=True)}" if pairs else path
        scope = scope_of("http", url, headers or {}) | {"method": method}
        answer: Answer = self._run_async(respond(self._app, scope))
        return answer

    def json(self, path: str, **query: Any) -> Any:
        """The JSON of an answer with status 200."""
        answer = self.get(path, **query)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), answer.body
        return json.loads(answer.body)

    def refused(self, path: str, **query: Any) -> tuple[int, str]:
        """Status and line of an error."""
        answer = self.get(path, **query)
        body = json.loads(answer.body)
        assert "\n" not in body["error"]
        return answer.status, body["error"]


def command_json(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], library: Path, *arguments: str
) -> Any:
    """What `pesearch ARGUMENT... --json` prints."""
    monkeypatch.setattr(sys, "argv", ["pesearch", *arguments, "--json", "--library", str(library)])
    with pytest.raises(SystemExit):
        command_line()
    return json.loads(capfd.readouterr().out)
