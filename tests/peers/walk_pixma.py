"""Random walks for the backend `pixma`, on an emulated scanner of any model.

What the options accept is read from the descriptors that the original gives of that model. Left
out, since ours deviates there on purpose (docs/deviations.md): reads before a start, automatic
thresholds, a threshold curve of 127 (the original's table overflows) or on narrow pages, and a
resolution that the mode lacks.
"""

from __future__ import annotations

import random

from tests.peers.pixma_pairs import (
    BR_X,
    BR_Y,
    BUTTON_CONTROLLED,
    BUTTON_UPDATE,
    CALIBRATE,
    COUNT,
    CURVE,
    GAMMA_TABLE,
    MM,
    MODE,
    RESOLUTION,
    SOURCE,
    THRESHOLD,
    TL_X,
    TL_Y,
)
from tests.peers.walk_described import Action, Described, DescribedWalk
from tests.peers.walk_values import Walk, random_value

SENSORS = range(17, 25)
LEFT_OUT = {GAMMA_TABLE, BUTTON_UPDATE, *SENSORS}
APART = {0, MODE, CALIBRATE, SOURCE, RESOLUTION, BUTTON_CONTROLLED, *LEFT_OUT}
CAP = 30_000_000
CURVE_MOST = 127
INCH = 25.4
MOST_PIXELS = 700  # of a side of what is scanned
NARROW = 1.2  # mm: in less, the original's threshold curve reads beyond the row


class _PixmaWalk(DescribedWalk):
    def __init__(self, rng: random.Random, options: Described, device: str, scans: int) -> None:
        super().__init__(rng, options, device, scans)
        self.takes_sheets = True
        self.finest = 600
        self.source = self.mode = ""
        self.dpi = 75

    # -- devices ------------------------------------------------------------------------

    def open(self) -> None:
        self.emit("init", "m")
        if self.chance(0.2):
            self.emit("open", 1, "pixma:nonsense")
        self.emit("open", 0, self.device)
        self.is_open = True
        self.emit("descs", 0, COUNT)
        self.source, self.mode = self.described.choices[SOURCE][0], "Color"
        self.dpi = 75

    # -- options ------------------------------------------------------------------------

    def choose_source(self) -> None:
        self.source = self.choose(SOURCE)
        if len(self.described.choices[SOURCE]) > 1:
            self.mode = "Color"
            self.set(MODE, self.mode)  # ours keeps mode and resolution, originals before 1.3 do not
            self.choose_resolution()
            self.emit("desc", 0, RESOLUTION)
            self.emit("desc", 0, MODE)

    def choose_mode(self) -> None:
        self.mode = self.choose(MODE)
        if len(self.described.choices[MODE]) > 3:
            self.choose_resolution()  # ours may have moved it

    def choose_resolution(self) -> None:
        """Set one of 75, 150, 300.. or a word beside it, which snaps to the nearest."""
        self.dpi = self.rng.choice([dpi for dpi in (75, 150, 300, 600) if dpi <= self.finest])
        self.set(RESOLUTION, self.dpi + self.rng.choice((0, 0, 0, 1, -1, 20)))
        self.emit("get", 0, RESOLUTION, 4, "w")

    def choose_area(self) -> None:
        """Set an area that is not large, anywhere on the glass, at times its corners swapped."""
        most = MOST_PIXELS * INCH / 600
        sides = [self.rng.uniform(0, most) for _ in range(2)]
        corner = [self.rng.uniform(0, 180), self.rng.uniform(0, 240)]  # film ends at 250
        if sides[0] < NARROW:
            self.set(CURVE, 0)
        edges = [(TL_X, BR_X, 0), (TL_Y, BR_Y, 1)]
        for low, high, axis in edges:
            near, far = corner[axis], corner[axis] + sides[axis]
            if self.chance(0.1):
                near, far = far, near
            self.set(low, int(near * MM))
            self.set(high, int(far * MM))
        self.emit("params", 0)

    def choose_value(self) -> None:
        """Set any other option to a value near those that it takes."""
        if self.chance(0.1):
            self.choose(CALIBRATE)
        index = self.rng.choice([i for i in self.options if i not in APART])
        value = random_value(self.rng, self.options[index])
        if index == CURVE and int(value.split()[-1]) >= CURVE_MOST:
            value = "4 w 126"
        self.emit("set", 0, index, value, self.no_info())
        if self.chance(0.5):
            self.get(0, index)
        if index in (TL_X, TL_Y, BR_X, BR_Y):
            self.choose_area()

    def look(self) -> None:
        index = self.rng.choice([i for i in self.options if i not in LEFT_OUT])
        choice = self.rng.randrange(3)
        if choice == 0:
            self.emit("params", 0)
        elif choice == 1:
            self.emit("desc", 0, index)
        else:
            self.get(0, index)

    def wrong(self) -> None:
        choice = self.rng.randrange(4)
        if choice == 0:
            self.emit("desc", 0, self.rng.choice((-1, COUNT, COUNT + 7)))
        elif choice == 1:
            self.emit("set", 0, self.rng.choice((0, 1, 6, 10, 15, 25)), 4, "w", 1)
        elif choice == 2:
            index = self.rng.choice([i for i in self.options if i not in (THRESHOLD, CURVE)])
            self.emit("auto", 0, index)
            if index == MODE:
                self.choose_resolution()  # ours may have moved it
        else:
            text = self.rng.choice(("nonsense", "Flat", "gra", "on", "C"))
            self.set(self.rng.choice((SOURCE, MODE, CALIBRATE)), text)

    # -- scanning -----------------------------------------------------------------------

    def scan(self) -> None:
        """Scan a page, whole or not, and cancel."""
        is_sheet = self.source not in ("Flatbed", "Transparency Unit")
        if not self.scans_left or (is_sheet and not self.takes_sheets):
            return
        self.scans_left -= 1
        self.choose_area()
        self.emit("start", 0)
        self.emit("params", 0)
        if self.source == "Flatbed" and self.chance(0.3):
            self.set(RESOLUTION, 75)  # in mid-scan
        if is_sheet and self.chance(0.5):
            self.next_sheet()
        self.emit("readall", 0, self.rng.choice((4096, 9999, 32768, 200000)), CAP)
        self.emit("read", 0, 10)
        self.emit("cancel", 0)

    def next_sheet(self) -> None:
        """Set options amid a sheet, which are those of the next one; read it, and start that."""
        self.choose_value()
        self.choose_resolution()
        self.choose_area()
        self.emit("readall", 0, 9999, CAP)
        self.emit("params", 0)
        self.choose_value()
        self.choose_area()
        self.emit("start", 0)
        self.emit("params", 0)

    def actions(self) -> dict[Action, int]:
        return {
            self.choose_source: 6, self.choose_mode: 10, self.choose_resolution: 10,
            self.choose_area: 8, self.choose_value: 30, self.look: 14, self.wrong: 6,
            self.scan: 14, self.close: 2,
        }  # fmt: skip


def generate_pixma_walk(
    seed: int,
    options: Described,
    device: str,
    scans: int,
    *,
    takes_sheets: bool,
    finest: int = 600,
    length: int = 150,
) -> Walk:
    """Return the walk of *seed* on *device*, a full name, with at most so many scans.

    takes_sheets: some scan from the feeder; the original leaves a session open of those that a
    cancel is to end. finest: the highest resolution.
    """
    walk = _PixmaWalk(random.Random(seed), options, device, scans)
    walk.takes_sheets, walk.finest = takes_sheets, finest
    return walk.walked(seed, length)
