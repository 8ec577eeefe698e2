"""Random walks for the backend `epsonds` on an emulated scanner with flatbed and duplex feeder.

Left out, since ours deviates there on purpose (docs/deviations.md): values of inactive options,
GET of adf-crp, depth 1 in colour, areas without pixels, corners at 0, non-blocking reads and
select, start in mid-frame, the limits of tl-x and tl-y with a source that is not the first, reads
of less than a line, and what the original does with a page of which get_parameters was never asked.
"""

from __future__ import annotations

import random

from tests.peers.walk_values import BUTTON, FIXED_ONE, Commands, Option, Walk, listed, ranged, text
from tests.peers.walk_values import boolean as _boolean

SOURCE, MODE, DEPTH, RESOLUTION, TL_X, TL_Y, BR_X, BR_Y = 2, 3, 4, 5, 7, 8, 9, 10
EJECT, LOAD, SKEW, CROP = 12, 13, 14, 15
FLATBED = (14149222, 19475988)  # 8.5 x 11.7 inch in words
FEEDER = (14149222, 23304601)  # 8.5 x 14 inch
SOURCES = ("Flatbed", "ADF Front", "ADF Duplex")
MODES = ("Lineart", "Gray", "Color")
OPTIONS: dict[int, Option] = {
    0: Option("w", 4, settable=False),
    SOURCE: text(11, *SOURCES),
    MODE: text(8, *MODES),
    DEPTH: listed(1, 8),
    RESOLUTION: ranged(50, 1200, 1),
    TL_X: ranged(0, FLATBED[0], 0),
    TL_Y: ranged(0, FLATBED[1], 0),
    BR_X: ranged(0, FEEDER[0], 0),
    BR_Y: ranged(0, FEEDER[1], 0),
    EJECT: BUTTON,
    LOAD: BUTTON,
    SKEW: _boolean(),
    CROP: _boolean(),
}
SIDE = 2 * FIXED_ONE * 254 // 10  # the longest side of a scanned area, in words: 2 inch
CAP = 4_000_000


class _EpsonWalk(Commands):
    def __init__(self, rng: random.Random, device: str) -> None:
        super().__init__(rng, OPTIONS, frozenset())
        self.device = device
        self.is_open = False
        self.source, self.mode, self.depth = "Flatbed", "Color", 8
        self.is_source_set = False  # until then the original shows the limits of the last handle

    # -- devices ------------------------------------------------------------------------

    def open(self) -> None:
        if self.chance(0.1):
            self.emit("open", 1, self.rng.choice(("epsonds:nonsense", "epsonds:net:", "epsonds:x")))
        self.emit("open", 0, self.device)
        self.is_open = True
        self.is_source_set = False
        self.source, self.mode, self.depth = "Flatbed", "Color", 8
        self.small_area()

    def close(self) -> None:
        if self.depth == 1:  # the original's next handle begins with it
            self.set(MODE, "Gray")
            self.set(DEPTH, 8)
        self.emit("close", 0)
        self.is_open = False

    # -- options ------------------------------------------------------------------------

    def set(self, index: int, value: object) -> None:
        option = OPTIONS[index]
        self.emit("set", 0, index, option.size, "s" if option.kind == "t" else "w", value)

    def choose_source(self) -> None:
        source = self.rng.choice(SOURCES)
        self.set(SOURCE, self.spelled(source))
        self.source, self.is_source_set = source, True

    def choose_mode(self) -> None:
        if self.depth == 1:
            self.set(MODE, "Gray")
            self.set(DEPTH, 8)
            self.depth = 8
        self.mode = self.rng.choice(MODES)
        self.set(MODE, self.spelled(self.mode))

    def spelled(self, value: str) -> str:
        """Return *value* in one of the ways that mean it."""
        value = value.replace(" ", "%20")
        return self.rng.choice((value, value, value.lower(), value.upper()))

    def choose_depth(self) -> None:
        if self.mode == "Gray":
            self.depth = self.rng.choice((1, 8))
            self.set(DEPTH, self.depth)
        elif self.mode == "Lineart":
            self.set(DEPTH, self.rng.choice((1, 8)))  # inactive

    def small_area(self) -> None:
        """Set an area that has pixels; corners are never crossed over."""
        dpi = self.rng.choice((50, 75, 100, 150, 200, 300, self.rng.randint(50, 400)))
        self.set(RESOLUTION, dpi)
        width, height = FLATBED
        left, top = self.rng.randint(0, width - SIDE), self.rng.randint(0, height - SIDE)
        if self.chance(0.4):
            left = top = 0
        smallest = 8 * FIXED_ONE
        self.set(CROP, 0)  # changing the area ends it, which the original does not tell
        self.set(TL_X, left)
        self.set(TL_Y, top)
        self.set(BR_X, left + self.rng.randint(smallest, SIDE))
        self.set(BR_Y, top + self.rng.randint(smallest, SIDE))

    def far_value(self) -> None:
        """Set a value on an edge or beyond; the next area sets it right."""
        index = self.rng.choice((RESOLUTION, BR_X, BR_Y) if self.is_source_set else (RESOLUTION,))
        self.set(CROP, 0)
        _low, high, _ = OPTIONS[index].limits or (0, 0, 0)
        if index != RESOLUTION and self.source == "Flatbed":
            high = FLATBED[index - BR_X]
        self.set(index, self.rng.choice((high, high + 1, high - 1, high + 99999)))
        self.emit("get", 0, index, 4, "w")
        self.small_area()

    def switch(self) -> None:
        index = self.rng.choice((SKEW, SKEW, EJECT, LOAD))
        if OPTIONS[index].kind == "b":
            self.emit("set", 0, index, 0, "b")
        else:
            self.set(index, self.rng.choice((0, 1, 1, 7)))

    def look(self) -> None:
        index = self.rng.choice((0, SOURCE, MODE, RESOLUTION, TL_X, TL_Y, BR_X, BR_Y, SKEW))
        choice = self.rng.randrange(5)
        if choice == 0:
            self.get(0, index)
        elif choice == 1:
            described = [SOURCE, MODE, RESOLUTION, SKEW, CROP]
            described += [BR_X, BR_Y] if self.is_source_set else []
            self.emit("desc", 0, self.rng.choice(described))
        elif choice == 2 and self.mode == "Gray":
            self.get(0, DEPTH)
        else:
            self.emit("params", 0)

    def wrong(self) -> None:
        choice = self.rng.randrange(4)
        if choice == 0:
            self.emit("desc", 0, self.rng.choice((-1, 16, 99)))
        elif choice == 1:
            self.emit("set", 0, self.rng.choice((0, 1, 6)), 4, "w", 1)
        elif choice == 2:
            self.emit("auto", 0, self.rng.choice((SOURCE, RESOLUTION, TL_X)))
        else:
            self.set(SOURCE, self.rng.choice(("ADF", "nonsense", "%")))

    # -- scanning -----------------------------------------------------------------------

    def scan(self) -> None:
        """Scan a page, or pages until the feeder is empty."""
        if self.chance(0.5):
            self.small_area()
        crops = self.source != "Flatbed" and self.chance(0.3)
        if crops:
            self.set(CROP, 1)
        pages = 1 if self.source == "Flatbed" else self.rng.choice((1, 2, 4, 5, 6))
        for _ in range(pages):
            self.emit("start", 0)
            self.emit("params", 0)
            if not crops:  # the original delivers more than get_parameters says
                self.emit("readall", 0, self.rng.choice((4096, 9999, 32768, 200000)), CAP)
                continue
            break
        self.emit("cancel", 0)
        self.close()
        self.open()

    def step(self) -> None:
        if not self.is_open:
            self.open()
            return
        actions = {
            self.choose_source: 14, self.choose_mode: 14, self.choose_depth: 6,
            self.small_area: 8, self.far_value: 5, self.switch: 5, self.look: 20,
            self.wrong: 5, self.scan: 12, self.close: 2,
        }  # fmt: skip
        self.rng.choices(list(actions), list(actions.values()))[0]()


def generate_epsonds_walk(seed: int, device: str) -> Walk:
    """Return the walk of *seed* on the scanner *device*, a full name."""
    walk = _EpsonWalk(random.Random(seed), device)
    walk.emit("init", "m")
    length = walk.rng.randint(100, 200)
    while len(walk.lines) < length:
        walk.step()
    return Walk(seed, walk.lines)
