"""Random walks for the backend `fujitsu`, on an emulated scanner of any model.

What the options accept is read from the descriptors that the original gives of that model. Every
access fetches the descriptor before: the original needs it.

Left out, since ours deviates there on purpose (docs/deviations.md): areas beyond the page size or
without pixels, values out of their range because another option shrank it, df-diff, lowmemory, the
side after a scan, a contrast of 127 (the original's table overflows), blank pages on the flatbed,
and changes of options and a new start in mid-scan.
"""

from __future__ import annotations

import random

from tests.peers.walk_described import Action, Described, DescribedWalk
from tests.peers.walk_values import Walk, encode, random_value

SOURCE, MODE, RESOLUTION = 2, 3, 4
PAGE_WIDTH, PAGE_HEIGHT, TL_X, TL_Y, BR_X, BR_Y = 6, 7, 8, 9, 10, 11
CONTRAST, DF_DIFF, LOW_MEMORY, SIDE = 14, 45, 60, 61
SKIP, FIRST_SENSOR = 66, 79
COUNT = 100
UNIT = 1387  # of a fixed-point word: 1/1200 inch
LARGEST = 2300  # units that a side of a scanned area is long, at most
SMALLEST = 600
NOT_BLANK = 1400  # smaller pictures count as blank
APART = {SOURCE, MODE, RESOLUTION, PAGE_WIDTH, PAGE_HEIGHT, TL_X, TL_Y, BR_X, BR_Y}
LEFT_OUT = {DF_DIFF, LOW_MEMORY, SIDE, SKIP}
MOST_BACK_DPI = 150  # more is more than a buffer, and the original would hang if it cleans a back
CAP = 30_000_000


class _FujitsuWalk(DescribedWalk):
    def __init__(self, rng: random.Random, options: Described, device: str) -> None:
        super().__init__(rng, options, device)
        self.fetch = True
        self.source = ""
        self.sides = (0, 0)  # of the area, in units

    # -- devices ------------------------------------------------------------------------

    def open(self) -> None:
        """Open it with its defaults: the original forgets them at exit only."""
        self.emit("init", "m")
        self.emit("open", 0, self.device)
        self.is_open = True
        self.emit("descs", 0, COUNT)
        self.source = self.described.choices[SOURCE][0]
        self.new_area()

    # -- options ------------------------------------------------------------------------

    def choose_source(self) -> None:
        self.shrink()
        self.source = self.choose(SOURCE)
        self.new_area()

    def choose_mode(self) -> None:
        self.choose(MODE)

    def shrink(self) -> None:
        """Set an area that lies within any page, whatever the resolution and source."""
        for index, value in ((TL_X, 0), (TL_Y, 0), (BR_X, SMALLEST), (BR_Y, SMALLEST)):
            self.set(index, value * UNIT)

    def new_area(self) -> None:
        """Set a resolution and an area that has pixels, on a page that holds it."""
        self.shrink()
        limits = self.options[RESOLUTION].limits or (50, 300, 1)
        most = 300 if self.source in ("Flatbed", "ADF Front") else MOST_BACK_DPI
        words = [w for w in self.options[RESOLUTION].words if w <= most]
        usual = [75, 100, 150, self.rng.randint(max(limits[0], 75), most), most]
        self.set(RESOLUTION, self.rng.choice(words or [w for w in usual if w >= limits[0]]))
        width, height = (self.rng.randint(SMALLEST, LARGEST) for _ in range(2))
        if self.source != "Flatbed" and PAGE_WIDTH in self.options:
            self.set(PAGE_WIDTH, (width + self.rng.choice((0, 0, 1000))) * UNIT)
            self.set(PAGE_HEIGHT, (height + self.rng.choice((0, 0, 1000))) * UNIT)
        self.set(BR_X, width * UNIT + self.rng.choice((0, 0, 3, -3)))
        self.set(BR_Y, height * UNIT)
        left = top = 0
        if self.chance(0.5):
            left, top = (self.rng.randint(0, side - SMALLEST) for side in (width, height))
            self.set(TL_X, left * UNIT)
            self.set(TL_Y, top * UNIT)
        self.sides = (width - left, height - top)

    def choose_value(self) -> None:
        """Set any other option to a value near those that it takes."""
        known = [i for i in self.options if i not in APART | LEFT_OUT and i < FIRST_SENSOR and i]
        index = self.rng.choice(known)
        option = self.options[index]
        if index == CONTRAST:
            option = option._replace(limits=(-127, 120, 1))
        value = random_value(self.rng, option)
        if index == CONTRAST and int(value.split()[-1]) > 120:
            value = "4 w 0"
        self.emit("set", 0, index, value, self.no_info())
        if self.chance(0.5):
            self.get(0, index)

    def reset_value(self) -> None:
        """Set a text to its first value, a number to its lowest."""
        known = [i for i in self.options if i not in APART | LEFT_OUT and i < FIRST_SENSOR and i]
        index = self.rng.choice(known)
        option = self.options[index]
        if option.strings:
            self.set(index, encode(option.strings[0]))
        elif option.kind == "w" and option.limits:
            self.set(index, max(0, option.limits[0]))
        elif option.kind == "w":
            self.set(index, 0)

    def look(self) -> None:
        index = self.rng.choice([i for i in self.options if i != SIDE])
        choice = self.rng.randrange(4)
        if choice == 0:
            self.emit("params", 0)
        elif choice == 1 and index not in (PAGE_WIDTH, PAGE_HEIGHT, TL_X, TL_Y, BR_X, BR_Y):
            self.emit("desc", 0, index)
        else:
            self.get(0, index)

    def wrong(self) -> None:
        choice = self.rng.randrange(4)
        if choice == 0:
            self.emit("desc", 0, self.rng.choice((-1, COUNT, COUNT + 7)))
        elif choice == 1:
            self.emit("set", 0, self.rng.choice((0, 1, 5, 15, 37)), 4, "w", 1)
        elif choice == 2:
            self.emit("auto", 0, self.rng.choice((SOURCE, RESOLUTION, TL_X)))
        else:
            self.set(self.rng.choice((SOURCE, MODE)), self.rng.choice(("A", "nonsense", "%")))

    # -- scanning -----------------------------------------------------------------------

    def scan(self) -> None:
        """Scan a few sides, and cancel."""
        is_flatbed = self.source == "Flatbed"
        if not is_flatbed and min(self.sides) >= NOT_BLANK and self.chance(0.3):
            self.set(SKIP, self.rng.choice((1, 5, 10, 20)) * 6554)
        sides = self.rng.choice((1, 2)) if is_flatbed else self.rng.choice((1, 2, 3, 4))
        for _ in range(sides):
            self.emit("start", 0)
            self.emit("params", 0)
            self.emit("readall", 0, self.rng.choice((4096, 9999, 32768, 200000)), CAP)
        if self.chance(0.2):
            self.emit("start", 0)
            self.emit("read", 0, self.rng.choice((1, 300, 4000)))
        self.emit("cancel", 0)
        self.set(SKIP, 0)

    def actions(self) -> dict[Action, int]:
        return {
            self.choose_source: 6, self.choose_mode: 8, self.new_area: 8, self.choose_value: 30,
            self.reset_value: 12, self.look: 14, self.wrong: 4, self.scan: 20, self.close: 2,
        }  # fmt: skip


def generate_fujitsu_walk(seed: int, options: Described, device: str) -> Walk:
    """Return the walk of *seed* on the scanner *device*, a full name, which has *options*."""
    walk = _FujitsuWalk(random.Random(seed), options, device)
    return walk.walked(seed, walk.rng.randint(250, 400))
