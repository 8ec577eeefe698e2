"""The table of all operations, in the order in which they are described."""

from __future__ import annotations

from . import documents, jobs, others, people, scanners
from .openapi import description
from .operation import Answer, Call, Operation


async def openapi(call: Call) -> Answer:
    """Return the description of all operations."""
    return Answer(description(OPERATIONS))


OPERATIONS: tuple[Operation, ...] = (
    *scanners.OPERATIONS,
    *jobs.OPERATIONS,
    *documents.OPERATIONS,
    *others.OPERATIONS,
    *people.OPERATIONS,
    Operation(
        *("GET", "/openapi.json", "openapi", "This description", openapi),
        answer="Info",
        is_open=True,
    ),
)
