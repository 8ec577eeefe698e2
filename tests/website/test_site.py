"""The whole site: made without a warning, no link is dead, and axe-core objects to nothing."""

from __future__ import annotations

import http.server
import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from website.places import HTML

from tests import ROOT
from tests.conftest import ABSENT
from tests.support import browser as browsers

pytestmark = [pytest.mark.long, pytest.mark.process]


@pytest.fixture(scope="module")
def site() -> Path:
    """Return the folder of the site, made now."""
    for name in ("sphinx", "furo", "myst_parser", "pypandoc"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{ABSENT}{name} (make docs)")
    done = subprocess.run(
        [sys.executable, "-m", "website"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "docs"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return HTML


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        del arguments


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Return where the site can be read by a browser."""

    def handler(*arguments: Any) -> Silent:
        return Silent(*arguments, directory=str(site))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    absent = browsers.missing(axe=True)
    if absent:
        pytest.skip(f"{ABSENT}{absent}")
    with browsers.chromium() as found:
        yield found


# One of each kind; the others are made of the same parts.
KINDS = (
    *("index", "scanners", "benchmarks", "start-driver", "python-api", "screenshots"),
    *("api/scanning", "man/pysane.1", "man/index", "scanner-not-found", "comparison", "search"),
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_a_fault_for_axe(browser: Any, address: str, theme: str) -> None:
    context = browser.new_context(color_scheme=theme, reduced_motion="reduce")
    faults = {}
    for name in KINDS:
        page = context.new_page()
        page.goto(f"{address}/{name}.html")
        found = browsers.violations(page)
        if found:
            faults[name] = found
        page.close()
    context.close()
    assert faults == {}


def test_pages_fit_a_narrow_screen(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 700})
    page = context.new_page()
    wide = []
    for name in KINDS:
        page.goto(f"{address}/{name}.html")
        if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
            wide.append(name)
    context.close()
    assert wide == []


def test_the_table_of_scanners_is_searched(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/scanners.html?q=perfection+1650")
    shown = page.locator("#scanners tbody tr:visible")
    assert shown.count() == 2
    page.fill("#finder", "no such scanner")
    assert shown.count() == 0
    assert page.inner_text("#found").startswith("None")
    page.fill("#finder", "")
    assert shown.count() > 900
    page.close()


def test_the_site_asks_no_other_server(browser: Any, address: str) -> None:
    asked: set[str] = set()
    context = browser.new_context()
    context.on("request", lambda request: asked.add(request.url))
    page = context.new_page()
    for name in KINDS:
        page.goto(f"{address}/{name}.html")
    context.close()
    assert {url for url in asked if not url.startswith((address, "data:"))} == set()
