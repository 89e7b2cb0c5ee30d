"""The OpenAPI document is valid, and answers are what it says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route

from pesearch.app.http_api.routes import api_routes
from pesearch.store.library import Library
from tests.app.api_client import ApiClient, RunAsync

EXAMPLES = {
    "/api/search": "/api/search?q=siren+and+train&all=true",
    "/api/files": "/api/files",
    "/api/moments/{file_id}/{start_ms}-{end_ms}": "/api/moments/1/0-1000",
    "/api/moments/{file_id}/{start_ms}-{end_ms}/picture.jpg": "/api/moments/1/0-1000/picture.jpg?width=320",
    "/api/moments/{file_id}/{start_ms}-{end_ms}/clip.mp4": "/api/moments/1/0-1000/clip.mp4",
    "/api/events": "/api/events?file_id=1&phrase=bell&threshold=0.1",
    "/api/status": "/api/status",
}
"""A request to each path."""


@pytest.fixture
def api(page_library: Library, run_async: RunAsync, monkeypatch: pytest.MonkeyPatch) -> ApiClient:
    monkeypatch.setenv("PESEARCH_LIBRARY", str(page_library.folder))
    return ApiClient(run_async)


@pytest.fixture
def document(api: ApiClient) -> Any:
    return api.json("/api/openapi.json")


def test_the_document_is_valid_openapi_3_1(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_every_route_is_described_and_every_path_served(document: Any) -> None:
    routes = {re.sub(r":\w+}", "}", route.path) for route in api_routes() if isinstance(route, Route)}
    assert set(document["paths"]) == set(EXAMPLES)
    assert routes - set(document["paths"]) == {"/api/openapi.json", "/api/{rest}"}


def closed(schema: Any) -> Any:
    """The schema without objects that may have other fields than it names."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {name: closed(each) for name, each in schema.items()}
    return {**changed, "additionalProperties": False} if "properties" in schema else changed


def errors(schema: Any, document: Any, value: Any) -> list[str]:
    root = closed({**schema, "components": document["components"]})
    return [error.message for error in Draft202012Validator(root).iter_errors(value)]


@pytest.mark.parametrize("path", EXAMPLES)
def test_answers_and_errors_are_as_described(api: ApiClient, document: Any, path: str) -> None:
    operation = document["paths"][path]["get"]
    ((media_type, content),) = operation["responses"]["200"]["content"].items()
    answer = api.get(EXAMPLES[path])
    assert (answer.status, answer.headers["content-type"]) == (200, media_type)
    if media_type == "application/json":
        value = api.json(EXAMPLES[path])
        assert errors(content["schema"], document, value) == []
        assert errors(content["schema"], document, {**value, "another": 1}) != []
    refused = api.get(EXAMPLES[path] + ("&" if "?" in EXAMPLES[path] else "?") + "unknown=1")
    schema = operation["responses"]["400"]["content"]["application/json"]["schema"]
    assert refused.status == 400
    assert errors(schema, document, json.loads(refused.body)) == []


def test_parameters_are_described_without_null_and_with_their_bounds(document: Any) -> None:
    search = {each["name"]: each for each in document["paths"]["/api/search"]["get"]["parameters"]}
    assert search["k"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 10}
    assert search["kind"]["schema"]["enum"] == ["audio", "image", "video"]
    assert search["in"]["schema"]["type"] == "array"
    assert all(each["in"] == "query" and not each["required"] and each["description"] for each in search.values())
    assert "null" not in str(list(search.values()))
    picture = document["paths"]["/api/moments/{file_id}/{start_ms}-{end_ms}/picture.jpg"]["get"]["parameters"]
    assert {each["name"]: (each["in"], each["required"]) for each in picture} == {
        "file_id": ("path", True), "start_ms": ("path", True), "end_ms": ("path", True), "width": ("query", False),
    }  # fmt: skip
