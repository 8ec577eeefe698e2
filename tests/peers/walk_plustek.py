"""Random walks for the backend `plustek`, on an emulated unit of any model.

What the options accept is read from the descriptors that the original gives. Left out, since ours
deviates there on purpose (docs/plustek.md): a contrast without brightness, options that are
inactive, corners that are exchanged, parameters in colour at 16 bits before the start, timers of
the lamp, calibrating by a button, and what is set in mid-scan; with a lamp, narrow line art, and a
resolution at which the original takes gains of other columns. What it measures in turbo mode is
not measured: gains and offsets are set there.
"""

from __future__ import annotations

import random

from sane.testing.plustek import Model
from sane.testing.plustek.models import LM9831
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
CUT_WRONG_DPI = 400  # an LM9831 with a sensor of 600 makes two pixels of three
NARROW = 0.7  # of MOST_PIXELS; line art of units with a lamp is wrong below some 0.62
TURBO_DPI, OLD_VENDORS = 300, (0x07B3, 0x0458)
MM = 65536
INCH = 25.4
MOST_PIXELS = 250  # of a side of what is scanned
CAP = 30_000_000
LOOKED_AT = (0, MODE, DEPTH, RESOLUTION, PREVIEW, TL_X, TL_Y, BR_X, BR_Y, BRIGHTNESS, *GAINS)


class _PlustekWalk(DescribedWalk):
    def __init__(
        self, rng: random.Random, options: Described, device: str, scans: int, model: Model
    ) -> None:
        super().__init__(rng, options, device, scans)
        self.model = model
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
        if self.mode != "Lineart" and DEPTH not in self.described.inactive:
            self.depth = self.rng.choice(self.described[DEPTH].words)
            self.word(DEPTH, self.depth)

    def choose_resolution(self) -> None:
        """Set one that there is, or a word beside it, which snaps to the nearest."""
        self.dpi = self.rng.choice([dpi for dpi in OF_THE_CHIP if not self.is_wrong_at(dpi)])
        self.word(RESOLUTION, self.dpi + self.rng.choice((0, 0, 0, 1, -1, 12, -12)))
        self.emit("get", 0, RESOLUTION, 4, "w")

    def is_wrong_at(self, dpi: int) -> bool:
        """Tell whether the original shades a page with gains that are not those of its columns."""
        model = self.model
        return model.revision == LM9831 and model.optical == 600 and dpi == CUT_WRONG_DPI

    @property
    def is_turbo(self) -> bool:
        """The original measures light with a divider that does not exist."""
        model = self.model
        is_old = model.vendor in OLD_VENDORS and model.optical != 600
        return is_old and self.mode != "Color" and self.dpi <= TURBO_DPI

    def choose_area(self) -> None:
        """Set an area that is not large, anywhere on the glass."""
        is_narrow_wrong = self.mode == "Lineart" and not self.model.is_contact
        least = NARROW if is_narrow_wrong else 0.2, 0.2
        sides = [self.rng.uniform(low, 1.0) * MOST_PIXELS / self.dpi * INCH for low in least]
        corner = [
            self.rng.uniform(0, max(0, self.most(index) - side))
            for index, side in zip((BR_X, BR_Y), sides, strict=True)
        ]
        for low, high, axis in ((TL_X, BR_X, 0), (TL_Y, BR_Y, 1)):
            self.word(low, int(corner[axis] * MM))
            self.word(high, int((corner[axis] + sides[axis]) * MM))
        self.params()

    def most(self, index: int) -> int:
        """Return the largest value of a length, in whole mm."""
        _, high, _ = self.described[index].limits or (0, 0, 0)
        return high // MM

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
            buttons = BUTTONS[: self.model.buttons]
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
        if self.is_turbo:
            for index in (*GAINS, *OFFSETS):
                self.word(index, self.rng.randrange(12))
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
    seed: int, options: Described, device: str, model: Model, scans: int = 1, length: int = 100
) -> Walk:
    """Return the walk of *seed* on *device*, a full name, with at most so many scans."""
    walk = _PlustekWalk(random.Random(seed), options, device, scans, model)
    return walk.walked(seed, length)
