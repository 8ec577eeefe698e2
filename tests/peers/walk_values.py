"""What the walk generators share: option types, random values for them, and the command list."""

from __future__ import annotations

import random
from typing import NamedTuple
from urllib.parse import unquote

INT_MIN, INT_MAX = -(1 << 31), (1 << 31) - 1
FIXED_ONE = 65536
ACTIONS_UNKNOWN = (3, -1, 99, INT_MAX)


class Walk(NamedTuple):
    """A list of commands for walker.c; it writes the configuration it needs itself."""

    seed: int
    commands: list[str]


class Option(NamedTuple):
    """What a value of the option looks like: t(ext), w(ords) or b(utton), and its constraint."""

    kind: str
    size: int
    limits: tuple[int, int, int] | None = None
    words: tuple[int, ...] = ()
    strings: tuple[str, ...] = ()
    usual: tuple[int, int] | None = None  # of an unconstrained word
    settable: bool = True


def boolean(settable: bool = True) -> Option:
    """Return a Bool option."""
    return Option("w", 4, usual=(0, 1), settable=settable)


def ranged(low: int, high: int, quant: int, size: int = 4) -> Option:
    """Return an Int or Fixed option with a range, in raw words."""
    return Option("w", size, limits=(low, high, quant))


def listed(*words: int, size: int = 4) -> Option:
    """Return an Int or Fixed option with a word list."""
    return Option("w", size, words=words)


def free(low: int, high: int, size: int = 4, settable: bool = True) -> Option:
    """Return an Int or Fixed option without a constraint, usually between *low* and *high*."""
    return Option("w", size, usual=(low, high), settable=settable)


def text(size: int, *strings: str) -> Option:
    """Return a String option, with a string list if there are any."""
    return Option("t", size, strings=strings)


BUTTON = Option("b", 0)


def encode(value: str) -> str:
    """Return *value* as walker.c reads text: percent-encoded Latin-1, % for the empty text."""
    safe = "".join(c if (c.isalnum() and c.isascii()) or c in "-_/.:" else _hex(c) for c in value)
    return safe or "%"


def decode(text: str) -> str:
    """Return what *text* was before encode."""
    return "" if text == "%" else unquote(text, "latin-1")


def _hex(char: str) -> str:
    return "".join(f"%{byte:02x}" for byte in char.encode("latin-1"))


def random_word(rng: random.Random, option: Option) -> int:
    """Return a word for *option*: often legal, else on an edge or far outside."""
    if rng.random() < 0.06:
        return rng.choice((INT_MIN, INT_MAX, -1, 0, 1))
    if option.limits is not None:
        return _near_range(rng, *option.limits)
    if option.words:
        return _near_list(rng, option.words)
    if option.usual is not None and rng.random() < 0.9:
        return rng.randint(*option.usual)
    return rng.randint(INT_MIN, INT_MAX)


def _near_range(rng: random.Random, low: int, high: int, quant: int) -> int:
    if rng.random() < 0.2:
        return _clip(rng.choice((low, high, low - 1, low + 1, high - 1, high + 1)))
    if quant == 0 or rng.random() < 0.3:
        return rng.randint(low, high)
    step = low + rng.randint(0, (high - low) // quant) * quant
    return _clip(step + rng.choice((0, 0, 0, 1, -1, quant // 2, quant // 2 - 1, quant // 2 + 1)))


def _near_list(rng: random.Random, words: tuple[int, ...]) -> int:
    word = rng.choice(words)
    middle = (word + rng.choice(words)) // 2
    return rng.choice((word, word, word, word - 1, word + 1, middle, middle + 1))


def _clip(word: int) -> int:
    return max(INT_MIN, min(INT_MAX, word))


def random_text(rng: random.Random, option: Option) -> str:
    """Return a text for *option*: an entry, a prefix, other case, unknown, empty."""
    if not option.strings:
        chars = "abc XYZ09%\"'\\\t#é~"
        return "".join(rng.choice(chars) for _ in range(rng.randint(0, option.size - 1)))
    entry = rng.choice(option.strings)
    kind = rng.random()
    if kind < 0.6:
        return entry
    if kind < 0.8:
        entry = entry[: rng.randint(1, len(entry))]
    elif kind < 0.9:
        entry = rng.choice((entry + "x", entry + " ", " " + entry, "", "nonsense", "é"))
    return rng.choice((entry, entry.lower(), entry.upper(), entry.swapcase()))


def random_value(rng: random.Random, option: Option) -> str:
    """Return the arguments SIZE KIND VALUE of walker.c's set."""
    if option.kind == "b":
        return "0 b"
    if option.kind == "t":
        return f"{option.size} s {encode(random_text(rng, option))}"
    count = option.size // 4
    if count > 16:
        low, high = rng.choice(((0, 255), (-20, 300), (100, 100), (0, 70000)))
        return f"{option.size} r {rng.randint(0, INT_MAX)}:{low}:{high}"
    words = ",".join(str(random_word(rng, option)) for _ in range(count))
    return f"{option.size} w {words}"


class Commands:
    """The commands of a walk under construction, and the ones about options of one table."""

    def __init__(self, rng: random.Random, options: dict[int, Option], titled: frozenset[int]):
        self.rng = rng
        self.options = options
        self.titled = titled  # options whose title the specification fixes
        self.count = max(options) + 1
        self.lines: list[str] = []
        self.fetch = False  # fetch an option's descriptor before every access

    def emit(self, *parts: object) -> None:
        if self.fetch and parts[0] in {"get", "set", "auto", "action"}:
            self.desc(str(parts[1]), int(str(parts[2])))
        self.lines.append(" ".join(str(part) for part in parts if part != ""))

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def no_info(self) -> str:
        return "n" if self.chance(0.05) else ""

    def desc(self, slot: int | str, index: int) -> None:
        self.emit("desc", slot, index, "t" if index in self.titled else "")

    def desc_all(self, slot: int | str) -> None:
        self.emit("descs", slot, self.count)

    def get(self, slot: int | str, index: int) -> None:
        option = self.options.get(index, Option("w", 4))
        self.emit(
            "get",
            slot,
            index,
            max(option.size, 4),
            "s" if option.kind == "t" else "w",
            self.no_info(),
        )

    def set_random(self, slot: int | str, index: int) -> None:
        option = self.options.get(index, Option("w", 4, usual=(0, 1)))
        self.emit("set", slot, index, random_value(self.rng, option), self.no_info())

    def auto_index(self) -> int:
        """Return an index for SET_AUTO, which few options offer."""
        return self.rng.randrange(self.count)

    def odd_index(self) -> int:
        return self.rng.choice((-1, self.count, self.count + 1, 100000, INT_MIN, INT_MAX))

    def illegal(self, slot: int | str) -> None:
        """Emit one call with an index, action or pointer that no frontend should pass."""
        index = self.rng.randrange(self.count)
        choice = self.rng.randrange(7)
        if choice == 0:
            self.emit("desc", slot, self.odd_index())
        elif choice == 1:
            self.get(slot, self.odd_index())
        elif choice == 2:
            self.set_random(slot, self.odd_index())
        elif choice == 3:
            self.emit("action", slot, index, self.rng.choice(ACTIONS_UNKNOWN))
        elif choice == 4:
            self.emit("auto", slot, self.rng.choice((self.auto_index(), self.odd_index())))
        elif choice == 5:
            self.emit("read", slot, 10, self.rng.choice("bl"))
        else:
            self.set_random(slot, 0)
