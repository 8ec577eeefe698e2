"""What a person does on the page, for tests and pictures; names are those of English."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

READY = ".scan-button:not([disabled])"
LONG = 30_000

Step = Callable[[Any], None]


def choose(page: Any, title: str) -> None:
    """Choose a scanner in the list, and wait for its settings."""
    page.locator(".card.scanner", has_text=title).click()
    page.wait_for_selector(READY)


def use(page: Any, source: str) -> None:
    """Choose platen, adf or adf-duplex."""
    choice = page.locator(f".panel input[value={source}]")
    choice.evaluate("one => one.scrollIntoView({block: 'center'})")  # not below a phone's buttons
    choice.check()


def scan(page: Any) -> None:
    """Scan, and wait for the end."""
    page.click(READY)
    page.wait_for_selector(".buttons .stop")
    page.wait_for_selector(READY, timeout=LONG)


def preview(page: Any) -> None:
    """Make a preview, and wait for it."""
    page.click(".preview-button")
    page.wait_for_selector(".bed-picture", timeout=LONG)


def tour(page: Any, address: str, look: Callable[[str], object], preview: Step = preview) -> None:
    """Go through all views of a stand-in with 8 scanners; call look with the name of each.

    preview: makes one, and waits for it.
    """
    page.wait_for_selector(".card.scanner")
    look("list")
    page.locator(".card.scanner").first.click()
    page.wait_for_selector(READY)
    look("glass")
    preview(page)
    look("preview")
    use(page, "adf")
    page.click(READY)
    page.wait_for_selector(".pages [data-page]")
    look("scanning")
    page.wait_for_selector(READY, timeout=LONG)
    look("pages")
    page.locator(".workspace-head .primary").click()
    look("save")
    page.keyboard.press("Escape")
    page.locator(".page-sheet").first.click()
    look("page")
    page.locator("[data-role=cut]").click()
    look("cut")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator(".top > .button").click()
    look("settings")
    page.keyboard.press("Escape")
    page.goto(f"{address}#/files")
    page.wait_for_selector(".card.file .loaded")
    look("files")
    page.goto(f"{address}#/scanners")
    page.locator(".card.scanner").nth(4).click()
    page.click(READY)
    page.wait_for_selector("[role=alert] .notice")
    look("error")


def pages(page: Any) -> list[str]:
    """Return the ids of the pages, in their order."""
    items = page.locator(".pages li[data-page]").all()
    return [item.get_attribute("data-page") for item in items]
