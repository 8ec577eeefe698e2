"""The description of the REST interface: whole, by its own rules, and kept by the server."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sane.web.api import schema
from sane.web.api.openapi import description
from sane.web.api.operations import OPERATIONS
from sane.web.api.problem import STATUS, ApiError
from sane.web.api.tables import SCHEMAS
from tests.conftest import ABSENT
from tests.support.api import ApiServer
from tests.support.web import FakeScanner

KNOWN = {*schema.KNOWN}


def keywords(table: Any) -> set[str]:
    """Return the keywords of a schema and of those within it."""
    found = set(table)
    for part in table.get("properties", {}).values():
        found |= keywords(part)
    for part in table.get("anyOf", ()):
        found |= keywords(part)
    return found | (keywords(table["items"]) if "items" in table else set())


def test_schemas_say_only_what_is_checked() -> None:
    queries = [table for operation in OPERATIONS for table in operation.query.values()]
    for table in [*SCHEMAS.values(), *queries]:
        assert keywords(table) <= KNOWN


def test_the_description_is_whole() -> None:
    told = description(OPERATIONS)
    text = repr(told)
    assert told["openapi"] == "3.1.0"
    names = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert names == set(SCHEMAS)
    operations = [each for path in told["paths"].values() for each in path.values()]
    assert len({each["operationId"] for each in operations}) == len(operations) == len(OPERATIONS)
    for each in operations:
        assert all(100 <= int(status) < 600 for status in each["responses"])
    assert {code for operation in OPERATIONS for code in operation.errors} <= set(STATUS)


def test_schemas_are_json_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason=f"{ABSENT}jsonschema")
    for table in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(table)


SAMPLES: list[tuple[Any, dict[str, Any]]] = [
    (1, {"type": "integer"}),
    (1.0, {"type": "integer"}),
    (1.5, {"type": "integer"}),
    (True, {"type": "integer"}),
    (True, {"enum": [1]}),
    (10**400, {"type": "number", "maximum": 10}),
    (1e308, {"type": "number", "minimum": 0}),
    ("ab", {"type": "string", "pattern": "^a"}),
    ("", {"type": "string", "minLength": 1}),
    ("aaa", {"type": "string", "maxLength": 2}),
    (None, {"type": ["string", "null"]}),
    (None, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ([1, 1], {"type": "array", "uniqueItems": True}),
    ([1, "a"], {"type": "array", "items": {"type": "integer"}}),
    ([1, 2, 3], {"type": "array", "maxItems": 2}),
    ({"a": 1}, {"type": "object", "properties": {"a": {"type": "string"}}}),
    ({"b": 1}, {"type": "object", "additionalProperties": False}),
    ({}, {"type": "object", "required": ["a"]}),
    ({"a": 1, "b": "x"}, {"type": "object", "additionalProperties": {"type": "integer"}}),
]


@pytest.mark.parametrize(("value", "table"), SAMPLES)
def test_checks_agree_with_json_schema(value: object, table: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason=f"{ABSENT}jsonschema")
    try:
        schema.check(value, table, {})
        fits = True
    except ApiError as exc:
        fits = False
        assert exc.code == "invalid"
    assert fits == jsonschema.Draft202012Validator(table).is_valid(value)


@pytest.mark.long
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """Half a minute of requests made from the description, good ones and bad ones."""
    if importlib.util.find_spec("schemathesis") is None:
        pytest.skip(f"{ABSENT}schemathesis")
    with ApiServer([FakeScanner()], state=tmp_path / "state") as api:
        api.scanned(resolution=75, paper="card")
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"http://127.0.0.1:{api.port}/api/v1/openapi.json",
            *("--phases", "coverage,fuzzing,stateful", "--max-examples", "25", "--no-color"),
            # A stream without an end, and files that take seconds each.
            *("--exclude-operation-id", "events", "--exclude-operation-id", "getFile"),
            # What fits may still name something that is not there; a cancelled job is still told.
            *("--exclude-checks", "positive_data_acceptance,use_after_free"),
        ]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600
        )
        api.get("/scanners")
    assert done.returncode == 0, done.stdout[-6000:]
