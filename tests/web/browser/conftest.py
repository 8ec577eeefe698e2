"""A browser for all tests of a file, and the server that they look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import ABSENT
from tests.support import browser as browsers


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return chromium, or skip."""
    absent = browsers.missing()
    if absent:
        pytest.skip(f"{ABSENT}{absent}")
    with browsers.chromium() as found:
        yield found


@pytest.fixture(scope="module")
def server(browser: Any) -> Iterator[str]:
    """Return the address of a stand-in with all its scanners and documents."""
    with browsers.stand_in("--scanners", "8", "--filled", "--pace", "0.03") as address:
        yield address


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that opens an address as a new visitor, whose page must not complain."""
    contexts = []
    complaints: list[str] = []

    def opened(address: str, **options: Any) -> Any:
        options = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **options}
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: note(line, complaints))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def note(line: Any, complaints: list[str]) -> None:
    """Keep what the page's own code complains of; the browser itself notes every answer >= 400."""
    if line.type in ("error", "warning") and "Failed to load resource" not in line.text:
        complaints.append(line.text)
