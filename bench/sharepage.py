"""The page of `pysane share`: until it can be used, and what a visit fetches.

Measured in chromium with a processor slowed four times, as a phone's is; without a browser, a row
says so.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.support import browser as browsers

from .measure import ABSENT, MISSED, UNMEASURED, at_most
from .report import Section
from .setting import ROOT

if TYPE_CHECKING:
    from .setting import Bench

SLOWER = 4  # times
MOST_SECONDS, MOST_BYTES = 1.0, 150_000
# Usable: the scanner's settings are there and Scan can be pressed.
WATCH = """
  new MutationObserver((changes, observer) => {
    if (!document.querySelector('.scan-button:not([disabled])')) return;
    observer.disconnect();
    window.usable = performance.now();
    console.debug('usable');
  }).observe(document, {subtree: true, childList: true, attributes: true});
"""
FETCHED = """() => [...performance.getEntriesByType('navigation'),
  ...performance.getEntriesByType('resource')]
  .filter(entry => !entry.name.includes('/api/'))
  .reduce(([sent, whole], entry) => [sent + entry.transferSize, whole + entry.decodedBodySize],
    [0, 0])"""


def visit(browser: Any, address: str, slower: int) -> tuple[float, float, int, int]:
    """Open the page as a new visitor; return what it took until it was usable.

    Seconds, processor seconds of the page's thread, bytes sent, bytes in all.
    """
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en")
    try:
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.add_init_script(WATCH)
        # Told by the page: to ask it again and again would cost it half a second.
        with page.expect_console_message(lambda message: message.text == "usable"):
            page.goto(address, wait_until="commit")
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        busy = next(one["value"] for one in metrics if one["name"] == "TaskDuration")
        milliseconds = float(page.evaluate("window.usable"))
        sent, whole = page.evaluate(FETCHED)
        return milliseconds / 1000, float(busy), int(sent), int(whole)
    finally:
        context.close()


def verdict(met: bool | None) -> str:
    """Return the cell of a goal."""
    return UNMEASURED if met is None else "met" if met else MISSED


def measure_sharepage(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure visits to `pysane share` with one device of the test backend."""
    section = Section(
        "The page of pysane share",
        f"A first visit by chromium with the processor slowed {SLOWER} times, until Scan can be "
        f"pressed, on a server of this machine with the test device. Medians of {rounds} visits.",
        ("a first visit", "ours", "goal", "verdict"),
    )
    absent = browsers.missing()
    if absent:
        section.add("usable after", f"{absent}: {ABSENT}", f"{MOST_SECONDS:.0f} s", UNMEASURED)
        return section
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "sane.d")
        settings.mkdir()
        (settings / "dll.conf").write_text("test\n")
        text = (ROOT / "etc" / "test.conf").read_text()
        one = text.replace("number_of_devices 2", "number_of_devices 1")
        (settings / "test.conf").write_text(one)
        with browsers.chromium() as browser, browsers.share(settings, Path(folder)) as address:
            visit(browser, address, 1)  # the browser itself has started
            visits = [visit(browser, address, SLOWER) for _ in range(rounds)]
            busy = SLOWER * median(visit(browser, address, 1)[1] for _ in range(rounds))
        shutil.rmtree(settings)
    seconds, _, sent, whole = (median(values) for values in zip(*visits, strict=True))
    section.add(
        "usable after",
        f"{seconds:.2f} s",
        f"{MOST_SECONDS:.0f} s",
        verdict(at_most(seconds, MOST_SECONDS)),
    )
    section.add(f"{SLOWER} times the processor time of its thread", f"{busy:.2f} s", "", "")
    goal = f"{MOST_BYTES / 1000:.0f} kB"
    section.add(
        "files, as they lie there", f"{whole / 1000:.0f} kB", goal, verdict(whole <= MOST_BYTES)
    )
    section.add("sent, compressed", f"{sent / 1000:.0f} kB", "", "")
    return section
