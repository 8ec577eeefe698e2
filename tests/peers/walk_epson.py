"""Random walks through an open ESC/I scanner: options, parameters, scans.

The generator plays each walk on our own driver as it goes, on a scanner of its own, to know which
options are active: those that are not answer differently on purpose (docs/deviations.md).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sane import const, errors
from sane.option import Range
from sane.testing.esci import Model, Scanner
from tests.fakes.scanner import on_network, read_frame
from tests.peers.epson import CAP, CHUNK, MM, area, set_word

if TYPE_CHECKING:
    from sane.option import Option

STEPS = 60
MOST_BYTES = 300_000  # of an image: the walk is about options
SHEETS = 1000  # after NO_DOCS the original tells the parameters of the scan before
LEVELS = ("B7", "B8", "D1", "D2", "D8")
IDENTITY = (MM, 0, 0, 0, MM, 0, 0, 0, MM)
TABLES = ("red-gamma-table", "green-gamma-table", "blue-gamma-table")


def random_model(rng: random.Random) -> Model:
    """Return a model with random capabilities."""
    feeder = rng.choice(((0, 0), (9000, 12000)))
    film = rng.choice(((0, 0), (6000, 8000)))
    # With Duplex chosen before, the original asks for both sides of a film, too.
    is_duplex = bool(feeder[0] and not film[0]) and rng.random() < 0.7
    return Model(
        rng.choice(LEVELS),
        rng.choice(("GT-EMU", "GT-X700", "PM-A850", "GT-8700", "DS-G20000")),
        adf=feeder,
        tpu=film,
        depth=rng.choice((8, 14, 16)),
        is_duplex=is_duplex,
        has_button=rng.random() < 0.5,
    )


def generate_walk(seed: int) -> tuple[Model, list[str]]:
    """Return a model and the commands of a walk on device 0."""
    rng = random.Random(seed)
    model = random_model(rng)
    commands = [set_word("cct-profile", *IDENTITY), *area(5, 5, 30, 30)]
    with on_network(Scanner(model, sheets=SHEETS)) as (handle, _server):
        for command in commands:
            _play(handle, command)
        for _ in range(STEPS):
            for command in _step(rng, handle):
                commands.append(command)
                _play(handle, command)
    return model, commands


def _step(rng: random.Random, handle: Any) -> list[str]:
    """Return the commands of one step, as the state of *handle* permits them."""
    plan = handle.device.make_plan()
    is_possible = plan.width > 0 and plan.lines > 0
    kind = rng.random()
    if kind < 0.6:
        command = _set(rng, handle)
        # A scan with the built-in profile replaces the user's own in the original.
        return [command, _profile(rng)] if "User%20defined%20CCT" in command else [command]
    if kind < 0.7:
        return ["descs 0 39"]
    if kind < 0.78:
        option = rng.choice([o for o in _active(handle) if o.name != "cct-profile"])
        size = max(4, min(option.size, 1024))
        return [f"get 0 {option.index} {size} {'s' if option.type == const.TYPE_STRING else 'w'}"]
    if kind < 0.85:
        return ["params 0"] if is_possible else []
    if is_possible and plan.parameters().frame_bytes < MOST_BYTES:
        return ["start 0", "params 0", f"readall 0 {CHUNK} {CAP}", "cancel 0"]
    return area(*_corners(rng, 25))


def _active(handle: Any) -> list[Option]:
    avoided = {"wait-for-button"}
    if handle.device.caps.tpu is not None:
        avoided.add("auto-eject")  # the original would eject the film
    return [
        option
        for option in handle.options.declared
        if handle.options.is_active(option) and option.can(const.CAP_SOFT_SELECT)
        if option.type < const.TYPE_BUTTON and option.name not in avoided
    ]


def _corners(rng: random.Random, size: float) -> tuple[float, float, float, float]:
    left, top = rng.uniform(0, 100), rng.uniform(0, 100)
    return left, top, left + rng.uniform(4, size), top + rng.uniform(4, size)


def _set(rng: random.Random, handle: Any) -> str:
    option = rng.choice(_active(handle))
    if option.name in TABLES:
        return f"set 0 {option.index} 1024 r {rng.randrange(1000)}:{rng.choice((-20, 0))}:300"
    if option.type == const.TYPE_STRING:
        text = rng.choice((*handle.options.constraints[option.index], "nonsense"))
        return f"set 0 {option.index} 64 s {quote(text)}"
    words = (_word(rng, handle, option) for _ in range(option.length))
    return f"set 0 {option.index} {option.size} w {','.join(map(str, words))}"


def _profile(rng: random.Random) -> str:
    return set_word("cct-profile", *(rng.randint(-2 * MM, 2 * MM) for _ in range(9)))


def _word(rng: random.Random, handle: Any, option: Option) -> int:
    constraint = handle.options.constraints[option.index]
    if option.type == const.TYPE_BOOL:
        return rng.choice((0, 1, 1, 2))
    if isinstance(constraint, Range):
        low, high = int(constraint.min), int(constraint.max)
        low = low + 1 if option.name in ("br-x", "br-y") else low - 1  # 0 is refused there
        return rng.choice((low, high, high + 1, *(rng.randint(low, high),) * 6))
    return int(rng.choice(constraint)) + rng.choice((0, 0, 0, 1, -1))


def _play(handle: Any, command: str) -> None:
    """Do on *handle* what walker.c will do."""
    words = command.split()
    try:
        if words[0] == "set":
            handle.set(int(words[2]), _value(words))
        elif words[0] == "start":
            handle.start()
        elif words[0] == "readall" and handle.state:
            read_frame(handle)
        elif words[0] == "cancel":
            handle.cancel_request.set()
            handle.cancelled()
    except errors.SaneError:
        return  # the walk will meet it too


def _value(words: list[str]) -> bytes:
    kind, text = words[4], words[5]
    if kind == "s":
        from urllib.parse import unquote

        return unquote(text).encode() + b"\0"
    if kind == "r":
        return bytes(int(words[3]))  # what the tables hold decides about nothing
    return b"".join(int(word).to_bytes(4, "little", signed=True) for word in text.split(","))
