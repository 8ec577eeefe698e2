"""Random walks on a scanner of any model, whose options are read from its descriptors."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from urllib.parse import unquote

from tests.peers.walk_values import Commands, Option, Walk, encode

INACTIVE, SETTABLE = 0x20, 0x01
DESCRIPTOR = re.compile(r'"([^"]*)" .* type=(\d) unit=(\d) size=(\d+) cap=(\w+) (.*)')
RANGE = re.compile(r"range=(-?\d+)\.\.(-?\d+)/(\d+)")

Action = Callable[[], object]


class Described(dict[int, Option]):
    """The options of a model by number, and those that exist whatever is set.

    inactive: those that were inactive when they were described.
    """

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.names: dict[int, str] = {}
        self.choices: dict[int, tuple[str, ...]] = {}
        self.inactive: set[int] = set()
        for number, line in enumerate(lines):
            found = DESCRIPTOR.match(line)
            if found is None or found[2] == "5":
                continue
            name, kind, size, cap = found[1], int(found[2]), int(found[4]), int(found[5], 16)
            if cap == INACTIVE:
                continue
            if cap & INACTIVE:
                self.inactive.add(number)
            self.names[number] = name
            self[number] = self._option(kind, size, bool(cap & SETTABLE), found[6])
            self.choices[number] = self[number].strings

    @staticmethod
    def _option(kind: int, size: int, is_settable: bool, constraint: str) -> Option:
        if kind == 3:
            texts = constraint.removeprefix("strings=").split(",")
            strings = tuple(
                unquote(text.strip('"').replace("\\", "%"), "latin-1") for text in texts
            )
            return Option("t", size, strings=strings if "strings=" in constraint else ())
        limits = RANGE.match(constraint)
        if limits:
            low, high, quant = map(int, limits.groups())
            return Option("w", 4, limits=(low, high, quant), settable=is_settable)
        if constraint.startswith("words="):
            words = tuple(map(int, constraint.removeprefix("words=").split(",")))
            return Option("w", 4, words=words, settable=is_settable)
        return Option("w", 4, usual=(0, 1), settable=is_settable)


class DescribedWalk(Commands):
    """A walk on one device of a model that its descriptors describe.

    device: a full name. scans: at most so many, where they are counted.
    """

    def __init__(self, rng: random.Random, options: Described, device: str, scans: int = 0) -> None:
        super().__init__(rng, options, frozenset())
        self.described = options
        self.device = device
        self.scans_left = scans
        self.is_open = False

    def open(self) -> None:
        """Open the device with its defaults."""
        raise NotImplementedError

    def actions(self) -> dict[Action, int]:
        """Return what may be done with it, and how often."""
        raise NotImplementedError

    def walked(self, seed: int, length: int) -> Walk:
        """Return the walk: so many commands, more while scans are left, and a close."""
        while len(self.lines) < length or (self.scans_left and len(self.lines) < 10 * length):
            if self.is_open:
                actions = self.actions()
                self.rng.choices(list(actions), list(actions.values()))[0]()
            else:
                self.open()
        if self.is_open:
            self.close()
        return Walk(seed, self.lines)

    def close(self) -> None:
        self.emit("close", 0)
        self.emit("exit")
        self.is_open = False

    def set(self, index: int, value: object) -> None:
        option = self.options[index]
        self.emit("set", 0, index, option.size, "s" if option.kind == "t" else "w", value)

    def choose(self, index: int) -> str:
        """Set a text to one of its list, in one of the ways that mean it; return it."""
        value = self.rng.choice(self.described.choices[index])
        spelled = self.rng.choice((value, value, value.lower(), value.upper()))
        self.set(index, encode(spelled))
        return value
