"""Random walks for the backend `pnm`, whose state is global and survives close and exit.

Left out: pixel data that are not whole triples where they are converted (the original carries the
rest over to the next scan), files without a line or a size (it reads what was on its stack),
SET_AUTO of gamma tables (smashes the stack), cancel, io mode and select on a closed handle.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.peers.walk_values import (
    BUTTON,
    FIXED_ONE,
    Commands,
    Option,
    Walk,
    boolean,
    encode,
    listed,
    ranged,
    text,
)

FILENAME, GRAYIFY, THREE_PASS, HAND, CUSTOM_GAMMA, STATUS = 2, 7, 8, 9, 13, 19
GAMMA_TABLES = range(14, 18)
RESOLUTIONS = (75, 90, 100, 120, 135, 150, 165, 180, 195, 200, 210, 225, 240, 255, 270, 285, 300)
PERCENT = ranged(-100 * FIXED_ONE, 100 * FIXED_ONE, 0)
OPTIONS: dict[int, Option] = {
    FILENAME: text(4096),
    3: listed(*RESOLUTIONS),
    5: PERCENT,
    6: PERCENT,
    GRAYIFY: boolean(),
    THREE_PASS: boolean(),
    HAND: boolean(),
    10: BUTTON,
    11: boolean(settable=False),
    CUSTOM_GAMMA: boolean(),
    **dict.fromkeys(GAMMA_TABLES, ranged(0, 255, 0, size=1024)),
    **dict.fromkeys(range(STATUS, 27), boolean()),
}
TITLED = frozenset((*range(8), 12, *range(13, 19)))
PLAIN = ("/color.ppm", "/comments.ppm", "/large.ppm", "/gray.pgm", "/bits.pbm")
CAP = 200_000
LONG_LINE = 1500  # more than the 1023 characters that are read at once


def write_images(folder: Path) -> list[str]:
    """Write the files that walks scan, whole, short, odd and unreadable; return their names."""
    pixels = random.Random(7).randbytes(200 * 150 * 3)
    long_comment = b"#" + b" " * LONG_LINE + b"\n"
    files = {
        "color.ppm": b"P6\n9 7\n255\n" + pixels[:189],
        "gray.pgm": b"P5\n13 9\n255\n" + pixels[:117],
        "bits.pbm": b"P4\n21 5\n" + pixels[:15],
        "comments.ppm": b"# a\nP6 rest\n# b\n#\n5 6 rest\n# c\n255\n" + pixels[:90],
        "comments.pbm": b"P4\n# a\n8 3\n#ab\xff" + pixels[:3],
        "short.ppm": b"P6\n10 10\n255\n" + pixels[:150],
        "short.pgm": b"P5\n100 100\n255\n" + pixels[:33],
        "surplus.ppm": b"P6\n4 4\n255\n" + pixels[:66],
        "surplus.pbm": b"P4\n3 2\n" + pixels[:12],
        "deep.ppm": b"P6\n3 2\n65535\n" + pixels[:36],
        "large.ppm": b"P6\n200 150\n255\n" + pixels,
        "large.pgm": b"P5\n300 100\n255\n" + pixels[:30000],
        "zero.pgm": b"P5\n0 0\n255\n",
        "nodata.ppm": b"P6\n5 5\n255\n",
        "long.pgm": long_comment + b"P5\n3 3\n255\n" + pixels[:9],
        "ascii.pbm": b"P1\n2 2\n0 1 1 0\n",
        "ascii.pgm": b"P2\n2 2\n9\n0 1 2 3\n",
        "ascii.ppm": b"P3\n1 1\n9\n0 1 2\n",
        "blank.ppm": b" P6\n1 1\n255\nabc",
        "pam": b"P7\nWIDTH 1\n",
        "junk": b"no image\n",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return sorted(files)


class _PnmWalk(Commands):
    def __init__(self, rng: random.Random, images: list[str]):
        super().__init__(rng, OPTIONS, TITLED)
        self.images = images
        self.slot: int | None = None
        self.closed: list[int] = []  # slots of handles that were closed since the last open
        self.aligned = True  # at a whole triple of the open file, if any

    # -- devices ------------------------------------------------------------------------

    def open(self) -> None:
        name = self.rng.choice(("0", "1", "", "0", "1", "2", "00", "x"))
        slot = self.rng.choice([i for i in range(8) if i != self.slot])
        if self.chance(0.05):
            self.emit("openx", slot)
            return
        self.emit("open", slot, encode(name))
        if self.slot is None and name in {"0", "1", ""}:
            self.slot, self.closed = slot, []

    def close(self) -> None:
        self.emit("close", self.slot)
        if self.slot is not None:
            self.closed.append(self.slot)
        self.slot = None

    def outside(self) -> None:
        """Calls that need no handle, and closed handles where they are checked."""
        choice = self.rng.randrange(6)
        if choice == 0:
            self.emit("devices", self.rng.randint(0, 1))
        elif choice == 1:
            self.open()
        elif choice == 2:
            self.emit("init")
        elif choice == 3 and self.chance(0.3):
            if self.slot is not None:
                self.close()  # whether exit closes a handle is a question of the ABI, not of pnm
            self.emit("exit")
        elif self.closed and self.slot is None:
            self.dead_call(self.rng.choice(self.closed))

    def dead_call(self, slot: int) -> None:
        index = self.rng.choice((0, 3, GRAYIFY))
        call = self.rng.choice(("params", "start", "read", "auto", "desc", "get", "set"))
        if call == "desc":
            self.desc(slot, index)
        elif call == "get":
            self.get(slot, index)
        elif call == "set":
            self.set_random(slot, index)
        else:
            self.emit(call, slot, {"auto": "3", "read": "9", "params": "s"}.get(call, ""))

    # -- options ------------------------------------------------------------------------

    def set(self, index: int, value: object) -> None:
        kind = "s" if index == FILENAME else "w"
        coded = encode(value) if isinstance(value, str) else value
        self.emit("set", self.slot, index, OPTIONS[index].size, kind, coded, self.no_info())

    def set_some(self) -> None:
        index = self.rng.choice((*OPTIONS, GRAYIFY, THREE_PASS, CUSTOM_GAMMA, 5, 6))
        if index in {FILENAME, GRAYIFY, THREE_PASS}:  # these decide what is converted
            self.align()
        if index == FILENAME:
            self.choose_file()
        elif index >= STATUS and self.chance(0.7):
            self.set(STATUS, self.rng.randint(0, 1))
        else:
            self.set_random(self.slot or 0, index)
        if self.chance(0.3):
            self.get(self.slot or 0, index)

    def align(self) -> None:
        if not self.aligned:
            self.emit("cancel", self.slot)
            self.aligned = True

    def choose_file(self) -> None:
        self.align()
        name = self.rng.choice(self.images)
        if self.chance(0.5):
            name = self.rng.choice([image for image in self.images if image.endswith(PLAIN)])
        elif self.chance(0.1):
            name = self.rng.choice(("", "missing", "x" * 4095, "x" * 4096, "x" * 5000))
        self.set(FILENAME, name)

    def forced_status(self) -> None:
        """Force a status, read, and mostly lift it again, also in the middle of a scan."""
        self.set(self.rng.randrange(STATUS + 1, 27), 1)
        self.read_some()
        if self.chance(0.8):
            self.set(STATUS, 1)

    def look(self) -> None:
        slot, index = self.slot or 0, self.rng.randrange(self.count)
        choice = self.rng.randrange(20)
        if choice == 19:
            self.emit("setself", slot, self.rng.choice((5, 6)), -1)
        elif choice < 4:
            self.desc_all(slot)
        elif choice < 8:
            self.desc(slot, index)
        elif choice < 12:
            self.emit("params", slot)
        else:
            self.get(slot, index)

    def auto_index(self) -> int:
        return self.rng.choice((3, 3, *(i for i in range(self.count) if i not in GAMMA_TABLES)))

    def wrong(self) -> None:
        self.illegal(self.slot or 0)

    # -- scanning -----------------------------------------------------------------------

    def start(self) -> None:
        self.emit("start", self.slot)
        self.aligned = True

    def cancel(self) -> None:
        self.emit("cancel", self.slot)
        self.aligned = True

    def read_some(self) -> None:
        size = self.rng.choice((1, 2, 3, 5, 6, 30, 60, 100, 600, 5000))
        self.aligned &= size % 3 == 0
        if self.chance(0.3):
            self.emit("read", self.slot, 0 if self.chance(0.2) else size)
            self.emit("readn", self.slot, 0)
        else:
            self.emit("readn", self.slot, size)

    def read_all(self) -> None:
        chunk = self.rng.choice((1, 2, 3, 7, 100, 4096, 32768, 100000))
        self.emit("readall", self.slot, chunk, CAP)

    def modes(self) -> None:
        self.emit("iomode", self.slot, self.rng.randint(0, 1))
        if self.chance(0.5):
            self.emit("selectfd", self.slot)

    def scan(self) -> None:
        """Scan a file as most programs do, three frames if need be."""
        if self.chance(0.6):
            self.choose_file()
        if self.chance(0.6):
            self.cancel()
        for _ in range(self.rng.choice((1, 1, 2, 3, 4))):
            self.start()
            if self.chance(0.5):
                self.emit("params", self.slot)
            for _ in range(self.rng.choice((0, 0, 1, 3))):
                self.rng.choice((self.read_some, self.read_some, self.look, self.modes))()
            if self.chance(0.7):
                self.read_all()

    def step(self) -> None:
        if self.slot is None:
            self.rng.choice((self.open, self.open, self.outside))()
            return
        actions = {
            self.set_some: 30, self.look: 12, self.scan: 20, self.start: 6, self.read_some: 10,
            self.read_all: 5, self.cancel: 4, self.modes: 3, self.forced_status: 4,
            self.wrong: 5, self.outside: 4, self.close: 3,
        }  # fmt: skip
        self.rng.choices(list(actions), list(actions.values()))[0]()


def generate_pnm_walk(seed: int, folder: Path) -> Walk:
    """Return the walk of *seed* over the files that write_images made in *folder*."""
    names = [str(folder / name) for name in sorted(path.name for path in folder.iterdir())]
    walk = _PnmWalk(random.Random(seed), names)
    if walk.chance(0.9):
        walk.emit("init")
    length = walk.rng.randint(150, 400)
    while len(walk.lines) < length:
        walk.step()
    return Walk(seed, walk.lines)
