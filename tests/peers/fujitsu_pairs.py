"""What the tests share that compare ours and the original fujitsu: fixtures, what is scanned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sane.testing.fujitsu import Sheet
from sane.testing.usb.hosted import Umockdev
from tests.peers.fujitsu import DEVICE, Made, check, set_text, set_word
from tests.peers.walk_fujitsu import (
    BR_X,
    BR_Y,
    MODE,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    RESOLUTION,
    SOURCE,
    TL_X,
    TL_Y,
    UNIT,
)
from tests.peers.walks import build_walker

SCAN = ("start 0", "params 0", "readall 0 32768 268435456", "params 0")
FRONT, BACK, DUPLEX = "ADF Front", "ADF Back", "ADF Duplex"


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program that makes the calls."""
    return build_walker(tmp_path_factory.mktemp("walker"))


class Pair:
    """What a test needs to compare both sides."""

    def __init__(self, walker: Path, bus: Umockdev, folder: Path) -> None:
        self.walker, self.bus, self.folder = walker, bus, folder

    def check(
        self, commands: list[str], model: Any = "fi-7260", *first: Sheet, **words: Any
    ) -> None:
        has_wire = words.pop("has_wire", True)
        made = Made(model, words.pop("sheets", len(first)), first, **words)
        whole = ["init m", f"open 0 {DEVICE}", *commands, "close 0", "exit"]
        report = check(self.walker, self.bus, made, whole, self.folder, has_wire=has_wire)
        assert not report, f"\n{report}"


@pytest.fixture
def pair(walker: Path, usb_bus: Umockdev, tmp_path: Path) -> Pair:
    return Pair(walker, usb_bus, tmp_path)


def page(
    source: str, mode: str, dpi: int, width: int = 2400, height: int = 1500, *, at: int = 0
) -> list[str]:
    """Return the commands that choose what is scanned, in 1/1200 inch."""
    commands = [*set_text(SOURCE, source), *set_text(MODE, mode), *set_word(RESOLUTION, dpi)]
    if source != "Flatbed":
        commands += set_word(PAGE_WIDTH, width * UNIT) + set_word(PAGE_HEIGHT, height * UNIT)
    commands += set_word(BR_X, width * UNIT) + set_word(BR_Y, height * UNIT)
    return commands + set_word(TL_X, at * UNIT) + set_word(TL_Y, at * UNIT)
