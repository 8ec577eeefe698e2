"""Takes pictures of the page, on a desktop and on a phone, light and dark, in several languages.

    python -m tests.support.page_pictures build/page          all of them, to be looked at
    python -m tests.support.page_pictures --docs docs/pictures  the three in docs/share-page.md

The scanners and their pages are those of the stand-in for the REST interface.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

from PIL import Image

from . import browser as browsers
from .page_steps import READY, tour, use

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True}
GAP = 28
MOVING = ("scanning", "page")  # views of which more than the usual is still coming


def choose(page: Any) -> None:
    """Choose the first scanner."""
    page.locator(".card.scanner").first.click()
    page.wait_for_selector(READY)


def preview(page: Any) -> None:
    """Make a preview, and select what the letter says."""
    page.click(".preview-button")
    page.wait_for_selector(".bed-picture")
    bed = page.locator(".bed")
    bed.scroll_into_view_if_needed()
    box = bed.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.07)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.82, box["y"] + box["height"] * 0.6, steps=5)
    page.mouse.up()
    page.wait_for_timeout(300)


def start(page: Any, pages: int) -> None:
    """Scan from the feeder until *pages* are there."""
    use(page, "adf")
    page.click(READY)
    page.locator(".pages .loaded").nth(pages - 1).wait_for()
    page.mouse.move(640, 5)
    page.wait_for_timeout(900)


def all_pictures(folder: Path, languages: list[str]) -> None:
    """Take pictures of all views in *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ("--scanners", "8", "--filled", "--pace", "0.35")
    with browsers.chromium() as browser:
        for language in languages:
            for device, size in (("desktop", DESKTOP), ("phone", PHONE)):
                for theme in ("light", "dark"):
                    with browsers.stand_in(*arguments) as address:
                        context = browser.new_context(**size, locale=language, color_scheme=theme)
                        page = context.new_page()
                        page.goto(address)
                        name = f"{language}-{device}-{theme}"

                        def keep(view: str, page: Any = page, name: str = name) -> None:
                            page.mouse.move(640, 5)  # away from what changes below it
                            page.wait_for_timeout(900 if view in MOVING else 350)
                            page.screenshot(path=folder / f"{name}-{view}.png")

                        tour(page, address, keep, preview)
                        context.close()


def for_docs(folder: Path) -> None:
    """Take the pictures of docs/share-page.md."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ("--scanners", "3", "--filled", "--pace", "0.35")
    with browsers.chromium() as browser, browsers.stand_in(*arguments) as address:
        desktop = {**DESKTOP, "locale": "en-GB"}
        page = browser.new_context(**desktop).new_page()
        page.goto(address)
        choose(page)
        start(page, 2)
        page.evaluate("scrollTo(0, 0)")
        save([shot(page)], folder / "share-page.png")
        page.wait_for_selector(READY)
        page.context.close()
        page = browser.new_context(**desktop, color_scheme="dark").new_page()
        page.goto(address)
        choose(page)
        preview(page)
        save([shot(page)], folder / "share-page-preview.png")
        page.context.close()
        save(phone_pictures(browser, address), folder / "share-page-phone.png")


def phone_pictures(browser: Any, address: str) -> list[Image.Image]:
    """Return what a phone shows: the glass, pages that come, saving."""
    page = browser.new_context(**PHONE, locale="en-GB").new_page()
    page.goto(address)
    choose(page)
    page.wait_for_timeout(300)
    taken = [shot(page)]
    start(page, 1)
    page.locator(".bar").evaluate("one => one.scrollIntoView()")
    taken.append(shot(page))
    page.wait_for_selector(READY)
    page.locator(".workspace-head .primary").click()
    page.wait_for_timeout(400)
    return [*taken, shot(page)]


def shot(page: Any) -> Image.Image:
    """Return what *page* shows."""
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def save(pictures: list[Image.Image], path: Path) -> None:
    """Write pictures side by side as a small PNG."""
    width = sum(one.width for one in pictures) + GAP * (len(pictures) - 1)
    out = Image.new("RGB", (width, pictures[0].height), "white")
    left = 0
    for one in pictures:
        out.paste(one, (left, 0))
        left += one.width + GAP
    small = out.quantize(256, Image.Quantize.MEDIANCUT, kmeans=4, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--languages", default="en,de,fr,es,zh")
    options = parser.parse_args()
    absent = browsers.missing()
    if absent:
        raise SystemExit(f"not here: {absent}")
    if options.docs:
        for_docs(options.folder)
    else:
        all_pictures(options.folder, options.languages.split(","))


if __name__ == "__main__":
    main()
