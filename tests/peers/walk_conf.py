"""The options of the backend `test` and random test.conf files for walks."""

from __future__ import annotations

import random
import re

from tests.peers.walk_values import (
    BUTTON,
    FIXED_ONE,
    INT_MAX,
    INT_MIN,
    Option,
    boolean,
    free,
    listed,
    ranged,
    text,
)

PICTURES = ("Solid black", "Solid white", "Color pattern", "Grid")
SOURCES = ("Flatbed", "Automatic Document Feeder")
ORDERS = ("RGB", "RBG", "GBR", "GRB", "BRG", "BGR")
FORCED = tuple(
    f"SANE_STATUS_{name}"
    for name in (
        *("UNSUPPORTED", "CANCELLED", "DEVICE_BUSY", "INVAL", "EOF", "JAMMED", "NO_DOCS"),
        *("COVER_OPEN", "IO_ERROR", "NO_MEM", "ACCESS_DENIED"),
    )
)
LONG_ENTRY = "This is the very long third entry. Maybe the frontend has an idea how to display it"
WORDS = (-42, -8, 0, 17, 42, 256, 65536, 16777216, 1073741824)
GAMMA = ranged(0, 255, 1, size=1024)
LENGTH = ranged(0, 200 * FIXED_ONE, FIXED_ONE)

DEPTH, MODE, THREE_PASS, ORDER, RESOLUTION, SOURCE, PICTURE = 3, 2, 5, 6, 7, 8, 10
HAND, SWAP, DELAY, DELAY_DURATION, READ_STATUS, FUZZY, TEST_OPTIONS = 4, 11, 14, 15, 16, 18, 21
GEOMETRY = (24, 25, 26, 27)
OPTIONS: dict[int, Option] = {
    MODE: text(6, "Gray", "Color"),
    DEPTH: listed(1, 8, 16),
    HAND: boolean(),
    THREE_PASS: boolean(),
    ORDER: text(4, *ORDERS),
    RESOLUTION: ranged(FIXED_ONE, 1200 * FIXED_ONE, FIXED_ONE),
    SOURCE: text(26, *SOURCES),
    PICTURE: text(14, *PICTURES),
    SWAP: boolean(),
    12: boolean(),
    13: ranged(1, 65536, 1),
    DELAY: boolean(),
    DELAY_DURATION: ranged(1000, 3000, 1000),  # up to 200000, but nobody wants to wait
    READ_STATUS: text(26, "Default", *FORCED),
    17: ranged(0, 128, 1),
    FUZZY: boolean(),
    19: boolean(),
    20: boolean(),
    TEST_OPTIONS: boolean(),
    22: BUTTON,
    **dict.fromkeys(GEOMETRY, LENGTH),
    **dict.fromkeys((29, 33, 34), boolean()),
    **dict.fromkeys((30, 31, 32), boolean(settable=False)),
    36: free(-100, 100),
    37: ranged(4, 192, 2),
    38: listed(*WORDS),
    39: free(-1000, 1000, size=24),
    40: ranged(4, 192, 2, size=24),
    41: listed(*WORDS, size=24),
    42: free(60, 75),
    **dict.fromkeys((43, 44, 45), GAMMA),
    46: ranged(0, 255, 1, size=16384),
    48: free(INT_MIN, INT_MAX),
    49: ranged(-2763653, 2147483641, 131072),
    50: listed(-2143027, 792985, 2752512, 8486912),
    52: text(97),
    53: text(84, "First entry", "Second entry", LONG_ENTRY),
    54: text(13, "First entry", "Second entry", *map(str, range(3, 47))),
    56: BUTTON,
}
FREE_TITLES = {4, 5, 6, 8, 10, 11, 13, 15, 16, 17, 19, 20}
TITLED = frozenset(range(57)) - FREE_TITLES
COMMON = (*(i for i in OPTIONS if i < 29 and i != 22), PICTURE, PICTURE, DEPTH, MODE)
EXTRA = tuple(i for i in OPTIONS if i >= 29)
LIST_ENTRIES = {MODE: 2, ORDER: 6, SOURCE: 2, 53: 3, 54: 46}
OWN_MAXIMUM = (13, 17, 37)  # ranges whose maximum is legal, so that setting it changes nothing
CAP = 200_000  # bytes: no walk reads further into a frame

JUNK = (
    *("", "   ", "# remark", "  # remark", 'mode "Color', "hand-scanner True", "Mode Color"),
    *("depth", "depth x8", "nonsense 3", '"" 5', "number_of_devices", "tl_x abc", "br-x 3"),
    *("resolution_min", "three-pass TRUE", "ppl-loss", "#mode Color", "select-fd 1", "mode #"),
)


TEXTS = {
    "mode": ("Gray", "Color"),
    "three-pass-order": ORDERS,
    "scan-source": SOURCES,
    "test-picture": PICTURES,
    "read-status-code": ("Default", *FORCED),
}


class Allowed:
    """What the configuration may have switched on."""

    def __init__(self) -> None:
        self.grid = self.forced = self.slow = False
        self.devices = 2


def random_config(rng: random.Random, solid: bool, fuzzy: bool, allowed: Allowed) -> str:
    """Return a test.conf: any subset of the keys, with junk between; note what it allows.

    *solid*: solid pictures only, of any depth. A resolution is always set: without one the
    original's images are a single pixel.
    """
    lines = [f"{key} {value}" for key, value in _settings(rng, solid, fuzzy) if rng.random() < 0.5]
    lines += rng.sample(JUNK, rng.randint(0, 6))
    rng.shuffle(lines)
    fixed = (str(rng.randint(4, 40)), f"{rng.uniform(4, 40):.2f}", "33.33zz", "0x14")
    lines.append(f"resolution {rng.choice(fixed)}")
    lines += (f"br_x {rng.randint(5, 45)}.5", f"br_y {rng.choice((10, 20.55, 45))}")
    if rng.random() < 0.6:
        devices = (("1", 1), ("3", 3), ("0x3zz", 3), ("05", 5), ('"4" x', 4))
        count, allowed.devices = rng.choice(devices)
        lines.append(f"number_of_devices {count}")
    allowed.forced = any("SANE_STATUS_" in line for line in lines)
    allowed.grid = any("Grid" in line for line in lines)
    allowed.slow |= "read-delay true" in lines  # words persist until the library is unloaded
    return "".join(rng.choice((f"{line}\n", f" {line} \n", f"{line}\r\n")) for line in lines)


def without_wrong_texts(config: str) -> str:
    """Return *config* without the lines that give an option a text that it does not have."""
    lines = config.splitlines(keepends=True)
    words = [get_words(line) for line in lines]
    return "".join(
        line
        for line, (key, *values) in zip(lines, words, strict=True)
        if key not in TEXTS or not values or not values[0] or values[0] in TEXTS[key]
    )


def get_words(line: str) -> list[str]:
    """Return the words and quoted texts of a line, at least one; none after an open quote."""
    found = re.findall(r'"([^"]*)"|(".*)|([^\s"]\S*)', line)
    return ["".join((quoted, word)) for quoted, is_open, word in found if not is_open] or [""]


def _bool(rng: random.Random, likely: float) -> str:
    return "true" if rng.random() < likely else "false"


def _settings(rng: random.Random, solid: bool, fuzzy: bool) -> list[tuple[str, object]]:
    pictures = PICTURES[:2] if solid else (*PICTURES, "Stripes")
    geometry = rng.choice(((0, 200, 1), (0, 200, 0), (0, 100, 0.5), (2, 50.3, 0.1)))
    limits = rng.choice(((1, 1200, 1), (1, 600, 0), (1.5, 300, 2.5), (2, 1200, 0.01)))
    return [
        ("mode", rng.choice(("Gray", "Color", '"Color"', "Color", "Gray", "gray"))),
        ("mode", rng.choice(("Gray", "Color"))),
        ("depth", rng.choice((2, 4, 12, 24, 8) if solid else (1, 8, 16, 8, "16x"))),
        ("hand-scanner", _bool(rng, 0.15)),
        ("three-pass", _bool(rng, 0.4)),
        ("three-pass-order", rng.choice(ORDERS)),
        *zip(("resolution_min", "resolution_max", "resolution_quant"), limits, strict=True),
        ("scan-source", rng.choice((*(f'"{s}"' for s in SOURCES), "Elsewhere"))),
        ("test-picture", f'"{rng.choice(pictures)}"'),
        ("invert-endianess", _bool(rng, 0.5)),
        ("read-limit", _bool(rng, 0.3)),
        ("read-limit-size", rng.choice((1, 7, 100, 5000, 100000))),
        ("read-delay", _bool(rng, 0.1)),
        ("read-delay-duration", rng.choice((500, 1000, 2000))),
        ("read-status-code", rng.choice(("Default", "Nothing", "Default", rng.choice(FORCED)))),
        ("fuzzy-parameters", _bool(rng, 0.5 if fuzzy else 0)),
        ("ppl-loss", rng.choice((0, 0, 1, 5, 100))),
        ("non-blocking", _bool(rng, 0.5)),
        ("select-fd", _bool(rng, 0.5)),
        ("enable-test-options", _bool(rng, 0.5)),
        *zip(("geometry_min", "geometry_max", "geometry_quant"), geometry, strict=True),
        ("tl_x", rng.choice((0, 1.5, 10, -3))),
        ("tl_y", rng.choice((0, 0.33, 30))),
    ]
