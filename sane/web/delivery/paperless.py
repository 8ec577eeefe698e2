"""paperless-ngx as a destination: the file is posted, and its task is asked until it is done.

A second attempt asks for the task of the first one. Where that was lost, paperless itself refuses
what it has already (it compares checksums, and the file is the same in every attempt): that counts
as delivered. Source: paperless-ngx, documentation of its REST API ("File uploads").
"""

from __future__ import annotations

import json
import time
from urllib.parse import quote, urlencode

from ..store.names import TYPES
from .http import Form, request
from .sending import Later, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .sending import Sending

TASK_SECONDS = 120.0  # that an attempt waits for paperless to take the document in
ASK_SECONDS = 1.0
LISTS = {"correspondent": "correspondents", "document_type": "document_types", "tags": "tags"}


def send(sending: Sending) -> str:
    """Post the file; return what paperless says of it."""
    task = sending.memory.get("task")
    if task is None:
        task = _post(sending)
        sending.remember(task=task)
    return _wait(sending, str(task))


def _post(sending: Sending) -> str:
    fields = [("title", sending.title), ("created", sending.created)]
    for name, listed in LISTS.items():
        wanted = sending.settings.get(name, ())
        for value in (wanted,) if isinstance(wanted, str) else wanted:
            fields.append((name, str(_number_of(sending, listed, value))))
    form = Form(fields, "document", sending.file, sending.name, TYPES[sending.type])
    answer = _ask(sending, "POST", "documents/post_document/", form)
    if not isinstance(answer, str) or not answer:
        raise Refused("paperless did not answer with a task: is the address that of its root?")
    return answer


def _wait(sending: Sending, task: str) -> str:
    """Return when the task is done."""
    until = time.monotonic() + sending.settings.get("task_seconds", TASK_SECONDS)
    while True:
        found = _results(_ask(sending, "GET", f"tasks/?task_id={quote(task)}"))
        state = str(found[0].get("status", "")).upper() if found else "PENDING"
        result = str(found[0].get("result") or "") if found else ""
        if state == "SUCCESS":
            return result or "taken in"
        if state == "FAILURE":
            if "duplicate" in result.lower():
                return result
            sending.remember(task=None)  # it is posted again
            raise Refused(f"paperless could not take it in: {result}")
        if time.monotonic() >= until:
            raise Later("paperless has not taken it in yet")
        time.sleep(ASK_SECONDS)


def _number_of(sending: Sending, listed: str, name: str) -> int:
    """Return paperless's number of a tag, a correspondent or a type."""
    if name.isdigit():
        return int(name)
    query = urlencode({"name__iexact": name})
    found = _results(_ask(sending, "GET", f"{listed}/?{query}"))
    if not found:
        raise Refused(f"paperless has no {name!r} among its {listed.replace('_', ' ')}")
    return int(found[0]["id"])


def _ask(sending: Sending, method: str, path: str, form: Form | None = None) -> Any:
    settings = sending.settings
    headers = {"Authorization": f"Token {sending.secret('token')}"}
    url = f"{settings['url'].rstrip('/')}/api/{path}"
    if form is None:
        answer = request(method, url, settings, headers=headers)
    else:
        headers["Content-Type"] = form.type
        answer = request(method, url, settings, headers=headers, body=form.body(), size=form.size)
    try:
        return json.loads(answer.body)
    except ValueError as exc:
        raise Refused(
            "paperless did not answer with JSON: is the address that of its root?"
        ) from exc


def _results(answer: Any) -> list[dict[str, Any]]:
    """Return the items of a list, whole or by pages."""
    found = answer.get("results", []) if isinstance(answer, dict) else answer
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise Later("paperless answered with something else than a list")
    return found
