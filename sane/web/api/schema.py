"""Checks JSON by the same tables that the OpenAPI description shows: a part of JSON Schema.

It knows type, enum, const-free objects, arrays, numbers, texts, anyOf and references. A schema that
says something else fails when it is checked itself, by the tests. Source: JSON Schema 2020-12,
validation.
"""

from __future__ import annotations

import re
from math import isfinite

from .problem import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Schema = Mapping[str, Any]

KNOWN = {
    *("type", "enum", "anyOf", "$ref", "description", "default", "examples", "format"),
    *("properties", "required", "additionalProperties", "items", "minItems", "maxItems"),
    *("uniqueItems", "minimum", "maximum", "minLength", "maxLength", "pattern", "readOnly"),
}
TEXTS = {"true": True, "1": True, "false": False, "0": False}
PREFIX = "#/components/schemas/"


def check(value: object, schema: Schema, schemas: Mapping[str, Schema], field: str = "") -> Any:
    """Return *value* if it fits, whole numbers as int; raises ApiError that names the field."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].removeprefix(PREFIX)]
    if "anyOf" in schema:
        return _any_of(value, schema["anyOf"], schemas, field)
    wanted = schema.get("type")
    if wanted is not None:
        value = _typed(value, wanted, field)
    if "enum" in schema and not any(_same(value, item) for item in schema["enum"]):
        words = ", ".join("null" if item is None else str(item) for item in schema["enum"])
        raise wrong(field, f"is {_shown(value)}, and not one of {words}")
    if isinstance(value, str):
        _check_text(value, schema, field)
    elif isinstance(value, dict):
        return _object(value, schema, schemas, field)
    elif isinstance(value, list):
        return _list(value, schema, schemas, field)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        least, most = schema.get("minimum"), schema.get("maximum")
        if (least is not None and value < least) or (most is not None and value > most):
            raise wrong(field, f"is {value}, and not in {least} to {most}")
    return value


def from_text(text: str, schema: Schema, field: str) -> Any:
    """Return what a query parameter's *text* means; raises ApiError."""
    kind = schema.get("type")
    if kind == "boolean":
        if text not in TEXTS:
            raise wrong(field, f"is {_shown(text)}, and not 0 or 1")
        return TEXTS[text]
    if kind == "integer":
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            raise wrong(field, f"is {_shown(text)}, and not a whole number")
        return check(int(text), schema, {}, field)
    return check(text, schema, {}, field)


def wrong(field: str, text: str) -> ApiError:
    """Return the error for a value of the request."""
    return ApiError("invalid", f"{field or 'the body'} {text}", field=field)


def _any_of(value: object, choices: list[Schema], schemas: Mapping[str, Schema], field: str) -> Any:
    first = None
    for choice in choices:
        try:
            return check(value, choice, schemas, field)
        except ApiError as exc:
            first = first or exc
    assert first is not None
    raise first


def _typed(value: object, wanted: str | list[str], field: str) -> Any:
    kinds = [wanted] if isinstance(wanted, str) else wanted
    if isinstance(value, float) and "integer" in kinds and isfinite(value) and value.is_integer():
        value = int(value)
    if not any(_is(value, kind) for kind in kinds):
        raise wrong(field, f"is {_shown(value)}, and not {' or '.join(kinds)}")
    return value


def _is(value: object, kind: str) -> bool:
    if kind == "null":
        return value is None
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("integer", "number"):
        if isinstance(value, float):
            return kind == "number" and isfinite(value)
        return isinstance(value, int) and not isinstance(value, bool)
    types = {"string": str, "object": dict, "array": list}
    return isinstance(value, types[kind])


def _same(value: object, item: object) -> bool:
    return value == item and isinstance(value, bool) == isinstance(item, bool)


def _check_text(value: str, schema: Schema, field: str) -> None:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if len(value) < least:
        raise wrong(field, "is empty" if not value else f"has fewer than {least} characters")
    if most is not None and len(value) > most:
        raise wrong(field, f"has more than {most} characters")
    if "pattern" in schema and not _fits(schema["pattern"], value):
        raise wrong(field, f"is {_shown(value)}, which does not fit {schema['pattern']}")
    try:
        value.encode()
    except UnicodeEncodeError as exc:  # half a surrogate pair of JSON
        raise wrong(field, "is no text of Unicode") from exc


def _fits(pattern: str, value: str) -> bool:
    """Tell whether *value* matches; "$" is the very end, as in ECMA-262, and no line's."""
    is_whole = pattern.endswith("$")
    return re.search(f"{pattern[:-1]}\\Z" if is_whole else pattern, value) is not None


def _object(
    value: dict[str, Any], schema: Schema, schemas: Mapping[str, Schema], field: str
) -> dict[str, Any]:
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            raise wrong(_within(field, name), "is missing")
    out = {}
    for name, part in value.items():
        where = _within(field, name)
        if name in properties:
            out[name] = check(part, properties[name], schemas, where)
        elif others is False:
            raise wrong(_within(field, _shown(name).strip("'")), "is not known here")
        else:
            out[name] = check(part, {} if others is True else others, schemas, where)
    return out


def _list(value: list[Any], schema: Schema, schemas: Mapping[str, Schema], field: str) -> list[Any]:
    if len(value) < schema.get("minItems", 0):
        raise wrong(field, f"has fewer than {schema['minItems']} parts")
    if len(value) > schema.get("maxItems", len(value)):
        raise wrong(field, f"has more than {schema['maxItems']} parts")
    items = schema.get("items", {})
    out = [check(part, items, schemas, f"{field}[{at}]") for at, part in enumerate(value)]
    if schema.get("uniqueItems") and any(part in out[:at] for at, part in enumerate(out)):
        raise wrong(field, "names something twice")
    return out


def _within(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
