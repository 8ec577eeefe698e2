"""OpenAPI 3.1 of the REST interface, made of the tables that it is checked by.

Source: OpenAPI Specification 3.1.0.
"""

from __future__ import annotations

import re

from ... import __version__
from .problem import STATUS
from .tables import ID, PROFILE_NAME, SCHEMAS, ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .operation import Operation

JSON = "application/json"
PREFIX = "/api/v1"
EVERY = ("invalid", "too-large", "unsupported")  # of operations with a body
SIGNED = ("unauthorized", "forbidden")


def description(operations: Iterable[Operation]) -> dict[str, Any]:
    """Return the whole description."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _one(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "PySANE", "version": __version__, "license": {"name": "MIT"}},
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "pysane_session"},
            },
        },
    }


def _one(operation: Operation) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", operation.path)
    parameters: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": PROFILE_NAME if name == "profile" else ID,
        }
        for name in names
    ]
    parameters += [
        {"name": name, "in": "query", "schema": table} for name, table in operation.query.items()
    ]
    out: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": _answers(operation),
    }
    if parameters:
        out["parameters"] = parameters
    if operation.body:
        out["requestBody"] = {"required": True, "content": {JSON: {"schema": ref(operation.body)}}}
    if operation.is_open:
        out["security"] = [{}]
    return out


def _answers(operation: Operation) -> dict[str, Any]:
    good: dict[str, Any] = {"description": operation.summary}
    if "/" in operation.answer:
        good["content"] = {operation.answer: {}}
        if operation.answer == "application/octet-stream":
            good["content"] = {"application/*": {}, "image/*": {}}
        elif operation.answer.startswith("image/"):
            good["content"] = {"image/*": {}}
    elif operation.answer:
        good["content"] = {JSON: {"schema": ref(operation.answer)}}
    answers: dict[str, Any] = {str(operation.status): good}
    if operation.name == "putProfile":
        answers["201"] = good
    codes = {*operation.errors, "invalid", "failed", *(() if operation.is_open else SIGNED)}
    codes |= set(EVERY) if operation.body else set()
    for status in sorted({STATUS[code] for code in codes}):
        named = sorted(code for code in codes if STATUS[code] == status)
        answers[str(status)] = {
            "description": ", ".join(named),
            "content": {JSON: {"schema": ref("Error")}},
        }
    return answers
