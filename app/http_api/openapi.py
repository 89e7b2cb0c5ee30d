"""The OpenAPI document, made of the endpoints."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from msgspec.json import schema_components
from starlette.responses import Response

from pesearch import __version__
from pesearch.app.http_api.endpoints import ENDPOINTS, Endpoint
from pesearch.app.json_errors import JSON_TYPE, ErrorObject

OPENAPI_PATH = "/api/openapi.json"

OPENAPI_VERSION = "3.1.0"

ERRORS = {
    "400": "A parameter or the query is wrong; a syntax error comes with its position.",
    "401": "The token is missing or wrong.",
    "404": "The library has no such file, or the file cannot be read now.",
    "409": "The library cannot be used until somebody repairs, upgrades or creates it.",
    "503": "The library, its drive, a model or FFmpeg is not available now.",
}

_REFERENCES = "#/components/schemas/{name}"


@cache
def openapi_document() -> dict[str, Any]:
    """The document, as OpenAPI 3.1."""
    answers = [endpoint.answer for endpoint in ENDPOINTS if endpoint.answer is not Response]
    parameters = [endpoint.parameters for endpoint in ENDPOINTS]
    references, components = schema_components([*answers, ErrorObject, *parameters], ref_template=_REFERENCES)
    by_type = dict(zip([*answers, ErrorObject, *parameters], references, strict=True))
    names = {each.__name__ for each in parameters}
    return {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "pesearch",
            "version": __version__,
            "summary": "Search inside your own video and audio by what is seen, heard and said.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}, {"query": []}],
        "paths": {_plain_path(each.path): {"get": _operation(each, by_type, components)} for each in ENDPOINTS},
        "components": {
            "schemas": {name: schema for name, schema in components.items() if name not in names},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "query": {"type": "apiKey", "in": "query", "name": "token"},
            },
        },
    }


def parameter_schema(name: str, components: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of parameters, without references and without null for those that are left out."""
    schema: dict[str, Any] = components[name]
    inlined = {key: _inlined(value, components) for key, value in schema["properties"].items()}
    return {
        "type": "object",
        "properties": {key: _without_null(value) for key, value in inlined.items()},
        "required": schema.get("required", []),
        "additionalProperties": False,
    }


def _operation(endpoint: Endpoint, by_type: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    schema = parameter_schema(endpoint.parameters.__name__, components)
    is_json = endpoint.media_type == JSON_TYPE
    content = by_type[endpoint.answer] if is_json else {"type": "string", "contentMediaType": endpoint.media_type}
    refused = {JSON_TYPE: {"schema": by_type[ErrorObject]}}
    return {
        "operationId": endpoint.respond.__name__,
        "summary": endpoint.summary,
        "parameters": [
            _parameter(name, each, name in schema["required"], in_path=f"{{{name}:" in endpoint.path)
            for name, each in schema["properties"].items()
        ],
        "responses": {
            "200": {"description": endpoint.summary, "content": {endpoint.media_type: {"schema": content}}},
            **{status: {"description": text, "content": refused} for status, text in ERRORS.items()},
        },
    }


def _parameter(name: str, schema: dict[str, Any], is_required: bool, *, in_path: bool) -> dict[str, Any]:
    described = {key: value for key, value in schema.items() if key != "description"}
    return {
        "name": name,
        "in": "path" if in_path else "query",
        "required": is_required,
        "description": schema["description"],
        "schema": described,
    }


def _plain_path(path: str) -> str:
    """`/files/{id:number}` as OpenAPI writes it: `/files/{id}`."""
    return re.sub(r"{(\w+):\w+}", r"{\1}", path)


def _inlined(schema: Any, components: dict[str, Any]) -> Any:
    """A schema with its references replaced by what they refer to."""
    if isinstance(schema, list):
        return [_inlined(each, components) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return {**_inlined(components[schema["$ref"].rpartition("/")[2]], components), **rest}
    return {key: _inlined(value, components) for key, value in schema.items()}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that is left out where Python has None."""
    if schema.get("default", ...) is None:
        schema = {key: value for key, value in schema.items() if key != "default"}
    kept = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kept) == 1:
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        return {**kept[0], **rest}
    return schema
