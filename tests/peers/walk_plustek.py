"""Random walks for the backend `plustek`, on an emulated unit of any model.

What the options accept is read from the descriptors that the original gives. Left out, since ours
deviates there on purpose (docs/plustek.md): a contrast without brightness, options that are
inactive, corners that are exchanged, parameters in colour at 16 bits before the start, timers of
the lamp, calibrating by a button, and what is set in mid-scan.
"""

from __future__ import annotations

import random

from tests.peers.walk_described import Action, Described, DescribedWalk
from tests.peers.walk_values import Walk, encode

MODE, DEPTH, RESOLUTION, PREVIEW = 2, 3, 5, 6
TL_X, TL_Y, BR_X, BR_Y = 8, 9, 10, 11
BRIGHTNESS, CONTRAST, CUSTOM_GAMMA = 13, 14, 15
FIRST_GAMMA, LAMP_AT_EXIT = 16, 23
GAINS, OFFSETS = range(30, 33), range(33, 36)
BUTTONS = range(40, 43)
COUNT = 45
GROUPS = (1, 7, 12, 20, 29, 39)
OF_THE_CHIP = (100, 150, 200, 300, 400, 600)  # dpi: the last column of others may differ
MM = 65536
INCH = 25.4
MOST_PIXELS = 250  # of a side of what is scanned
CAP = 30_000_000
LOOKED_AT = (0, MODE, DEPTH, RESOLUTION, PREVIEW, TL_X, TL_Y, BR_X, BR_Y, BRIGHTNESS, *GAINS)


class _PlustekWalk(DescribedWalk):
    def __init__(self, rng: random.Random, options: Described, device: str, scans: int) -> None:
        super().__init__(rng, options, device, scans)
        self.buttons = 1  # how many the unit has
        self.mode, self.depth, self.dpi = "Color", 8, 50
        self.brightness = self.contrast = 0

    # -- devices ------------------------------------------------------------------------

    def open(self) -> None:
        self.emit("init", "m")
        if self.chance(0.2):
            self.emit("open", 1, "plustek:nonsense")
        self.emit("open", 0, self.device)
        self.is_open = True
        self.emit("descs", 0, COUNT)
        self.mode, self.depth, self.dpi = "Color", 8, 50
        self.brightness = self.contrast = 0

    # -- options ------------------------------------------------------------------------

    def choose_mode(self) -> None:
        self.mode = self.rng.choice(self.described.choices[MODE])
        self.set(MODE, encode(self.mode))
        self.depth = 8
        self.contrast = 0
        if self.mode != "Lineart":
            self.choose_depth()
            self.word(CONTRAST, 0)
        self.desc(0, DEPTH)
        self.desc(0, CONTRAST)

    def choose_depth(self) -> None:
        if self.mode != "Lineart":
            self.depth = self.rng.choice(self.described[DEPTH].words)
            self.word(DEPTH, self.depth)

    def choose_resolution(self) -> None:
        """Set one that there is, or a word beside it, which snaps to the nearest."""
        self.dpi = self.rng.choice(OF_THE_CHIP)
        self.word(RESOLUTION, self.dpi + self.rng.choice((0, 0, 0, 1, -1, 12, -12)))
        self.emit("get", 0, RESOLUTION, 4, "w")

    def choose_area(self) -> None:
        """Set an area that is not large, anywhere on the glass."""
        sides = [self.rng.uniform(0.2, 1.0) * MOST_PIXELS / self.dpi * INCH for _ in range(2)]
        corner = [self.rng.uniform(0, 215 - sides[0] % 200), self.rng.uniform(0, 297 - sides[1])]
        for low, high, axis in ((TL_X, BR_X, 0), (TL_Y, BR_Y, 1)):
            self.word(low, int(corner[axis] * MM))
            self.word(high, int((corner[axis] + sides[axis]) * MM))
        self.params()

    def choose_brightness(self) -> None:
        """Set brightness, and a contrast that goes with it."""
        self.brightness = self.rng.choice((-100, -30, -1, 7, 50, 100))
        self.word(BRIGHTNESS, self.brightness * MM + self.rng.choice((0, 0, 999)))
        self.emit("get", 0, BRIGHTNESS, 4, "w")
        if self.mode != "Lineart" and self.chance(0.5):
            self.word(CONTRAST, self.rng.choice((-50, 0, 20)) * MM)

    def choose_value(self) -> None:
        """Set any other option near what it takes."""
        index = self.rng.choice((PREVIEW, *GAINS, *OFFSETS))
        values = (0, 1) if index == PREVIEW else (-1, -1, -1, 0, 5, 63, 64, -7)
        self.word(index, self.rng.choice(values))
        self.emit("get", 0, index, 4, "w")

    def word(self, index: int, value: int) -> None:
        self.emit("set", 0, index, 4, "w", value)

    def params(self) -> None:
        if (self.mode, self.depth > 8) != ("Color", True):
            self.emit("params", 0)

    def look(self) -> None:
        choice = self.rng.randrange(3)
        if choice == 0:
            self.params()
        elif choice == 1:
            self.desc(0, self.rng.choice((*LOOKED_AT, *GROUPS)))
        else:
            buttons = BUTTONS[: self.buttons]
            self.emit("get", 0, self.rng.choice((RESOLUTION, TL_X, BR_Y, *buttons)), 4, "w")

    def wrong(self) -> None:
        choice = self.rng.randrange(3)
        if choice == 0:
            self.emit("desc", 0, self.rng.choice((-1, COUNT, COUNT + 7)))
        elif choice == 1:
            self.emit("set", 0, self.rng.choice((0, BUTTONS[0])), 4, "w", 1)
        else:
            self.set(MODE, "nonsense")

    # -- scanning -----------------------------------------------------------------------

    def scan(self) -> None:
        """Scan a page, whole, and cancel."""
        if not self.scans_left:
            return
        self.scans_left -= 1
        self.choose_resolution()
        self.choose_area()
        self.emit("start", 0)
        self.emit("params", 0)
        self.emit("readall", 0, self.rng.choice((4096, 9999, 32768, 200000)), CAP)
        self.emit("cancel", 0)

    def actions(self) -> dict[Action, int]:
        return {
            self.choose_mode: 10, self.choose_depth: 4, self.choose_resolution: 10,
            self.choose_area: 8, self.choose_brightness: 8, self.choose_value: 20, self.look: 14,
            self.wrong: 6, self.scan: 10, self.close: 2,
        }  # fmt: skip


def generate_plustek_walk(
    seed: int, options: Described, device: str, buttons: int, scans: int = 1, length: int = 100
) -> Walk:
    """Return the walk of *seed* on *device*, a full name, with at most so many scans."""
    walk = _PlustekWalk(random.Random(seed), options, device, scans)
    walk.buttons = buttons
    return walk.walked(seed, length)
