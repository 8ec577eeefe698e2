"""Every view of the page, light and dark, in each language: nothing that axe-core objects to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import ABSENT
from tests.support import browser as browsers
from tests.support.page_steps import READY, pages, scan, tour, use

pytestmark = pytest.mark.long
LANGUAGES = ("en", "de", "fr", "es", "zh")

Visit = Callable[..., Any]


@pytest.fixture(scope="module")
def slow_server(browser: Any) -> Iterator[str]:
    """Return the address of a stand-in that scans so slowly that it can be looked at."""
    absent = browsers.missing(axe=True)
    if absent:
        pytest.skip(f"{ABSENT}{absent}")
    arguments = ("--scanners", "8", "--filled", "--pace", "0.3")
    with browsers.stand_in(*arguments) as address:
        yield address


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_view_has_a_fault_for_axe(
    slow_server: str, visit: Visit, language: str, theme: str
) -> None:
    page = visit(slow_server, locale=language, color_scheme=theme, reduced_motion="reduce")
    found = {}

    def check(view: str) -> None:
        page.wait_for_timeout(50)  # what appears has appeared
        found[view] = browsers.violations(page)

    tour(page, slow_server, check)
    assert {view: faults for view, faults in found.items() if faults} == {}
    assert page.evaluate("document.documentElement.lang")[:2] == language
    assert page.evaluate("document.documentElement.dataset.theme") == theme


def test_the_language_and_the_theme_are_chosen_and_kept(slow_server: str, visit: Visit) -> None:
    page = visit(f"{slow_server}#/files")
    page.get_by_role("button", name="Settings", exact=True).click()
    page.get_by_label("Language").select_option("de")
    page.locator("dialog", has_text="Einstellungen").wait_for()
    page.get_by_label("Dunkel").check()
    page.reload()
    page.get_by_role("heading", name="Dokumente").wait_for()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_login_has_no_fault_for_axe(slow_server: str, visit: Visit) -> None:
    with browsers.stand_in("--password", "tea") as address:
        page = visit(address)
        page.get_by_label("Password").fill("milk")
        page.get_by_label("User name").fill("ada")
        page.keyboard.press("Enter")
        page.locator(".notice").wait_for()
        assert browsers.violations(page) == []


def test_a_screen_reader_hears_of_each_page(slow_server: str, visit: Visit) -> None:
    page = visit(slow_server)
    page.locator(".card.scanner").first.click()
    page.wait_for_selector(READY)
    page.evaluate(
        "() => { window.heard = []; new MutationObserver(() => heard.push("
        "document.querySelector('#polite').textContent.trim())).observe("
        "document.querySelector('#polite'), {childList: true, characterData: true}); }"
    )
    use(page, "adf")
    scan(page)
    assert len(pages(page)) == 3
    said = [f"Page {n} is here." for n in (1, 2, 3)]
    assert page.evaluate("heard") == ["Starting the scan.", *said, "Done: 3 pages."]
