"""From a scanner to a saved document, as a person does it: by pointer, by keyboard, on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import browser as browsers
from tests.support.page_steps import READY, choose, pages, preview, scan, use

pytestmark = pytest.mark.long
MAIN = "Epson WF-3820"
PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}

Visit = Callable[..., Any]


def test_pages_come_one_after_the_other_and_are_saved(server: str, visit: Visit) -> None:
    page = visit(server)
    choose(page, MAIN)
    use(page, "adf")
    scan(page)
    assert len(pages(page)) == 3
    page.click(".workspace-head .primary")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    assert Path(saved.value.path()).read_bytes().startswith(b"%PDF")
    page.wait_for_selector(".toast")


def test_pages_get_another_order_by_pointer(server: str, visit: Visit) -> None:
    page = visit(server)
    choose(page, MAIN)
    use(page, "adf")
    scan(page)
    first, second, third = pages(page)
    box = page.locator(f"[data-page='{third}'] .picture").bounding_box()
    page.locator(f"[data-page='{first}'] .page-sheet").hover()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=6)
    page.mouse.up()
    page.wait_for_selector(".ghost", state="detached")
    assert pages(page) == [second, third, first]
    page.reload()
    page.wait_for_selector("[data-page]")
    assert pages(page) == [second, third, first]
    assert page.locator("dialog").count() == 0


def test_pages_get_another_order_by_keyboard(server: str, visit: Visit) -> None:
    page = visit(server)
    choose(page, MAIN)
    use(page, "adf")
    scan(page)
    first, second, third = pages(page)
    page.locator(f"[data-page='{first}'] .grip").focus()
    page.keyboard.press("ArrowRight")
    page.locator("#polite", has_text="now page 2").wait_for(state="attached")
    assert pages(page) == [second, first, third]
    page.wait_for_selector(f"[data-page='{first}'] .grip:focus")
    page.keyboard.press("ArrowRight")
    assert pages(page) == [second, third, first]


def test_a_part_of_the_glass_is_dragged_and_moved_by_keys(server: str, visit: Visit) -> None:
    page = visit(server)
    choose(page, MAIN)
    preview(page)
    box = page.locator(".bed").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.4, steps=4)
    page.mouse.up()
    size = page.locator(".selection-size")
    assert size.text_content() == "108 \u00d7 89 mm"
    page.locator(".selection").focus()
    page.keyboard.press("Alt+Shift+ArrowRight")
    assert size.text_content() == "118 \u00d7 89 mm"
    page.keyboard.press("ArrowDown")
    page.get_by_text("Exact size").click()
    assert page.get_by_label("From top").input_value() == "30.7"
    page.get_by_label("Width").fill("50")
    page.keyboard.press("Tab")
    assert size.text_content() == "50 \u00d7 89 mm"
    with page.expect_request("**/api/v1/jobs") as asked:
        page.click(READY)
    area = asked.value.post_data_json["area"]
    assert area["width_mm"] == 50
    assert area["top_mm"] == pytest.approx(30.7, abs=0.2)


def test_a_page_is_turned_cut_and_deleted(server: str, visit: Visit) -> None:
    page = visit(server)
    choose(page, MAIN)
    use(page, "adf")
    scan(page)
    first, _, third = pages(page)
    page.locator(f"[data-page='{first}'] .page-sheet").click()
    page.get_by_role("button", name="Turn right").click()
    page.locator(".editor-facts", has_text="3,507 \u00d7 2,481").wait_for()
    page.get_by_role("button", name="Crop").click()
    page.keyboard.press("Alt+Shift+ArrowLeft")
    with page.expect_request("**/pages/*") as asked:
        page.get_by_role("button", name="Apply crop").click()
    # 5 % off the right of a page that is turned right is off the top of the page as scanned.
    assert asked.value.post_data_json["crop"] == pytest.approx(
        {"left": 0, "top": 0.05, "width": 1, "height": 0.95}
    )
    page.keyboard.press("ArrowRight")
    assert page.locator("#editor-title").text_content() == "Page 2 of 3"
    page.locator(".editor-tools").get_by_role("button", name="Delete").click()
    page.locator("dialog.small").get_by_role("button", name="Delete").click()
    page.locator("#editor-title", has_text="of 2").wait_for()
    page.keyboard.press("Escape")
    assert pages(page) == [first, third]


def test_a_page_is_scanned_again_in_its_place(server: str, visit: Visit) -> None:
    page = visit(server)
    choose(page, MAIN)
    use(page, "adf")
    scan(page)
    before = pages(page)
    use(page, "platen")
    page.get_by_role("tab", name="Pages").click()
    page.locator(f"[data-page='{before[1]}'] .page-sheet").click()
    page.get_by_role("button", name="Scan again").click()
    page.wait_for_selector(f"[data-page='{before[1]}']", state="detached")
    page.wait_for_selector(READY)
    after = pages(page)
    assert (after[0], after[2], len(after)) == (before[0], before[2], 3)


def test_a_scan_is_stopped(server: str, visit: Visit) -> None:
    page = visit(server)
    choose(page, MAIN)
    use(page, "adf")
    page.click(READY)
    page.click(".buttons .stop")
    page.wait_for_selector(READY)
    assert page.locator(".notice").count() == 0


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Canon LiDE 300", "In use by simple-scan, pid 4711"),
        ("Mustek 1200", "In use by simple-scan, pid 4711"),
        ("Fujitsu fi-7160", "Paper is stuck in the feeder"),
        ("Epson DS-530", "The feeder is empty"),
        ("Avision AV220", "The cover is open"),
        ("Canon TS5350", "disk is full"),
    ],
)
def test_what_went_wrong_is_said(server: str, visit: Visit, title: str, text: str) -> None:
    page = visit(server)
    choose(page, title)
    page.click(READY)
    notice = page.locator("[role=alert] .notice")
    notice.wait_for()
    assert text in notice.text_content()
    page.wait_for_selector(READY)


def test_an_unreachable_scanner_is_said_when_it_is_chosen(server: str, visit: Visit) -> None:
    page = visit(server)
    page.locator(".card.scanner", has_text="ADS-1700W").click()
    page.locator(".notice", has_text="The scanner cannot be reached").wait_for()
    page.get_by_role("link", name="Another scanner", exact=True).click()
    page.wait_for_selector(".card.scanner")


def test_pages_before_a_jam_are_kept(server: str, visit: Visit) -> None:
    page = visit(server)
    choose(page, "Fujitsu fi-7160")
    page.click(READY)
    page.locator(".notice", has_text="2 pages that came before are kept").wait_for()
    assert len(pages(page)) == 2
    page.get_by_role("button", name="Go on").click()
    page.wait_for_selector(".notice", state="detached")


def test_a_profile_brings_its_settings_back(server: str, visit: Visit) -> None:
    page = visit(server)
    choose(page, MAIN)
    page.get_by_label("Profile", exact=True).select_option("Letters")
    assert page.locator("input[value=adf-duplex]").is_checked()
    assert page.locator("input[value=gray]").is_checked()
    page.locator("input[value=lineart]").check()
    page.get_by_role("button", name="Save these settings").click()
    page.get_by_label("Name of the profile").fill("Forms")
    page.keyboard.press("Enter")
    page.wait_for_selector("option[value=Forms]", state="attached")
    assert page.get_by_label("Profile", exact=True).input_value() == "Forms"
    page.get_by_role("button", name="Delete this profile").click()
    page.locator("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_selector("option[value=Forms]", state="detached")


def test_a_document_is_sent_and_found_again(server: str, visit: Visit) -> None:
    page = visit(f"{server}#/files")
    card = page.locator(".card.file", has_text="Rental agreement")
    card.get_by_role("button", name="Save").click()
    page.get_by_label("Office folder").check()
    page.get_by_role("button", name="Send").click()
    page.locator(".toast", has_text="On its way to Office folder").wait_for()
    card.locator(".state", has_text="Sent to Office folder").wait_for()
    card.get_by_role("button", name="Open Rental agreement").click()
    page.wait_for_selector(".pages [data-page]")
    assert len(pages(page)) == 3


def test_a_phone_needs_no_sideways_scrolling(server: str, visit: Visit) -> None:
    for language in ("en", "de", "fr", "es", "zh"):
        page = visit(server, locale=language, **PHONE)
        choose(page, MAIN)
        use(page, "adf")
        scan(page)
        for view in ("#/scan", "#/files", "#/scanners"):
            page.goto(server + view)
            page.wait_for_selector(".panel .choice, .card")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= 320, (language, view)


def test_a_phone_drags_pages_by_their_grip(server: str, visit: Visit) -> None:
    page = visit(server, **{**PHONE, "viewport": {"width": 390, "height": 844}})
    choose(page, MAIN)
    use(page, "adf")
    scan(page)
    first, second, third = pages(page)
    page.locator(f"[data-page='{first}'] .grip").scroll_into_view_if_needed()
    start = page.locator(f"[data-page='{first}'] .grip").bounding_box()
    end = page.locator(f"[data-page='{second}'] .picture").bounding_box()
    touch = page.context.new_cdp_session(page)
    points = [(start["x"] + 10, start["y"] + 10), (end["x"] + 40, end["y"] + 80)]
    send = "Input.dispatchTouchEvent"
    touch.send(
        send, {"type": "touchStart", "touchPoints": [{"x": points[0][0], "y": points[0][1]}]}
    )
    for part in (0.3, 0.6, 1):
        x, y = (a + (b - a) * part for a, b in zip(*points, strict=True))
        touch.send(send, {"type": "touchMove", "touchPoints": [{"x": x, "y": y}]})
    touch.send(send, {"type": "touchEnd", "touchPoints": []})
    page.wait_for_selector(".ghost", state="detached")
    assert pages(page) == [second, first, third]


def test_all_is_done_by_keyboard_alone(server: str, visit: Visit) -> None:
    page = visit(server)
    page.wait_for_selector(".card.scanner")
    focused = "document.activeElement.textContent || document.activeElement.value"

    def tab_to(text: str, selector: str = "*") -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            is_kind = page.evaluate(f"document.activeElement.matches('{selector}')")
            if is_kind and text in page.evaluate(focused):
                return
        raise AssertionError(f"no {text} in 60 steps")

    tab_to(MAIN)
    page.keyboard.press("Enter")
    page.wait_for_selector(READY)
    tab_to("platen", "input")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("input[value=adf]:focus")
    tab_to("Scan", ".scan-button")
    page.keyboard.press("Enter")
    page.wait_for_selector(".buttons .stop")
    assert "Stop" in page.evaluate(focused)
    page.wait_for_selector(READY)
    tab_to("Save", "button.primary")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog")
    tab_to("Download", "button.primary")
    with page.expect_download():
        page.keyboard.press("Enter")


def test_a_lost_connection_is_said_and_comes_back(browser: Any, visit: Visit) -> None:
    with browsers.stand_in() as address:
        page = visit(address)
        page.wait_for_selector(READY)
        port = address.rstrip("/").rpartition(":")[2]
    page.locator(".notice", has_text="No connection to the server").wait_for()
    with browsers.stand_in("--port", port):
        page.wait_for_selector(".notice", state="detached")
        scan(page)
        assert len(pages(page)) == 1


def test_a_login_is_asked_for_where_the_server_wants_one(browser: Any, visit: Visit) -> None:
    with browsers.stand_in("--password", "tea") as address:
        page = visit(address)
        page.get_by_label("User name").fill("ada")
        page.get_by_label("Password").fill("milk")
        page.keyboard.press("Enter")
        page.locator(".notice", has_text="do not match").wait_for()
        page.get_by_label("Password").fill("tea")
        page.keyboard.press("Enter")
        page.wait_for_selector(READY)
        page.get_by_role("button", name="Settings", exact=True).click()
        page.get_by_role("button", name="Log out").click()
        page.get_by_label("User name").wait_for()
