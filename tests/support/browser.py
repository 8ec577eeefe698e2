"""A browser for tests of the page: Debian's chromium, driven by Playwright, and axe-core in it.

All are peers: absent ones are said by missing(). Playwright and axe-core are looked for where
``make`` puts them, in the virtual environment and in build/axe.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import ROOT, TREE

CHROMIUM = shutil.which("chromium")
AXE = ROOT / "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
START_SECONDS = 20.0
AXE_RUN = """() => axe.run(document, {runOnly: {type: "tag", values: TAGS}})
  .then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html + " " + n.failureSummary)]))"""
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def missing(*, axe: bool = False) -> str:
    """Return what is absent, or an empty text."""
    absent = [] if CHROMIUM else ["chromium"]
    if importlib.util.find_spec("playwright") is None:
        absent.append("playwright")
    if axe and not AXE.exists():
        absent.append("axe-core")
    return ", ".join(absent)


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Give Playwright's browser, with a user directory of its own that goes with it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Debian's starter script counts memory in a way that its shell complains about: harmless.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def stand_in(*arguments: str) -> Iterator[str]:
    """Run the stand-in for the REST interface; give its address."""
    line = [sys.executable, "-m", "tests.support.page_api", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().strip()
        finally:
            process.terminate()


def violations(page: Any) -> list[Any]:
    """Return what axe-core, which the driver puts there past the policy, finds wrong."""
    page.evaluate(AXE.read_text() + "; undefined")
    found: list[Any] = page.evaluate(AXE_RUN.replace("TAGS", json.dumps(TAGS)))
    return found


def folder(name: str) -> Path:
    """Return a folder below build/ for pictures, made if need be."""
    made = ROOT / "build" / name
    made.mkdir(parents=True, exist_ok=True)
    return made


@contextlib.contextmanager
def share(configuration: Path, state: Path, *arguments: str) -> Iterator[str]:
    """Run `pysane share` on the devices of a configuration directory; give its address."""
    options = ("--bind", "127.0.0.1", "--port", "0", "--no-announce", "--no-https", "--service")
    line = [sys.executable, "-m", "sane.web", *options, "--state", str(state), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(TREE), "SANE_CONFIG_DIR": str(configuration)}
    with (state / "log").open("wb") as log:
        process = subprocess.Popen(line, env=environment, stdout=log, stderr=log)
    try:
        yield _address(state / "log", process)
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """Return the address that a server tells in its log, once it answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        told = re.search(r"http://127\.0\.0\.1:\d+/", log.read_text())
        if told:
            return told[0]
        time.sleep(0.05)
    raise AssertionError(f"pysane share did not start: {log.read_text()}")
