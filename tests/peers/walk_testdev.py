"""Random walks for the backend `test`, alone or below the dispatcher.

Left out because the specification calls them undefined or random: padding of Grid (masked),
parameters of an idle fuzzy device (masked), non-blocking reads, frames without data, calls on
handles that mean something else by now, exit while an abandoned scan still runs.
"""

from __future__ import annotations

import random

from tests.peers.walk_conf import (
    CAP,
    COMMON,
    DELAY,
    DEPTH,
    EXTRA,
    FORCED,
    FUZZY,
    GEOMETRY,
    HAND,
    LIST_ENTRIES,
    MODE,
    OPTIONS,
    ORDER,
    ORDERS,
    OWN_MAXIMUM,
    PICTURE,
    READ_STATUS,
    RESOLUTION,
    SOURCE,
    SOURCES,
    SWAP,
    TEST_OPTIONS,
    THREE_PASS,
    TITLED,
    Allowed,
    random_config,
)
from tests.peers.walk_values import FIXED_ONE, INT_MAX, INT_MIN, Commands, Walk, encode


class _Device:
    """What may be true of a device: flags that only widen until the next init."""

    def __init__(self, allowed: Allowed):
        self.slot: int | None = None
        self.scanning = False
        self.grid, self.forced, self.slow = allowed.grid, allowed.forced, allowed.slow


class _TestWalk(Commands):
    def __init__(self, rng: random.Random, names: str):
        super().__init__(rng, OPTIONS, TITLED)
        self.names = names  # what device names begin with: nonempty below the dispatcher
        self.dispatched = bool(names)
        self.fuzzy = self.chance(0.1)
        self.solid = self.chance(0.06)  # only solid pictures: odd depths are allowed
        self.tidy = self.chance(0.5)  # no scan is abandoned, so that exit is allowed
        self.allowed = Allowed()
        self.abandoned = False
        self.ready = False  # between init and exit
        self.unknown_opened = False
        self.devices: list[_Device] = []
        self.stale: dict[int, _Device] = {}

    # -- configuration ------------------------------------------------------------------

    def configure(self) -> None:
        """Write a test.conf in place of the one before."""
        if self.dispatched:  # the dispatcher unloads the backend: nothing persists
            self.allowed = Allowed()
        config = random_config(self.rng, self.solid, self.fuzzy, self.allowed)
        self.emit("conf", "test.conf", encode(config))

    # -- init and devices ---------------------------------------------------------------

    def init(self) -> None:
        self.emit("init", "m" if self.dispatched else "" if self.chance(0.9) else "n")
        self.ready, self.unknown_opened = True, False
        self.stale.clear()
        self.devices = [_Device(self.allowed) for _ in range(self.allowed.devices)]

    def exit_and_init(self) -> None:
        if self.abandoned:
            return
        for device in self.open_devices():
            assert device.slot is not None
            if device.scanning:
                self.emit("cancel", device.slot)
            if self.dispatched or self.chance(0.5):
                self.emit("close", device.slot)
            self.stale[device.slot] = device
            device.slot = None
        self.emit("exit")
        self.ready = False
        for _ in range(self.rng.randint(0, 4)):
            self.rng.choice((self.list_devices, self.stale_call, self.null_call))()
        if not self.dispatched and self.chance(0.2):
            self.emit("exit")
        if self.chance(0.7):
            self.configure()
        self.init()

    def list_devices(self) -> None:
        null_list = "n" if not self.dispatched and self.chance(0.1) else ""
        self.emit("devices", self.rng.randint(0, 1), null_list)

    def open_devices(self) -> list[_Device]:
        return [device for device in self.devices if device.slot is not None]

    def open_any(self) -> None:
        """Open a random name; the device must be known when this succeeds."""
        index = self.rng.randrange(len(self.devices))
        name, first = f"{self.names}{index}", self.names
        if index == 0 and self.chance(0.3):
            name = self.rng.choice((first, first.rstrip(":"), ""))
        elif self.chance(0.1):
            name = self.names + self.rng.choice(("7", "00", " 0", "0 ", "-1", "x", ":0"))
            index = -1
        elif self.dispatched and self.chance(0.05):
            name, index, self.unknown_opened = "nosuch:0", -1, True
        if self.dispatched and name == "" and self.unknown_opened:
            index = -1  # the first backend is now the unknown one
        self.open(name, index)

    def open(self, name: str, index: int) -> None:
        slots = [device.slot for device in self.open_devices()]
        slot = self.rng.choice([i for i in range(8) if i not in slots])
        if index == 0 and not self.dispatched and self.chance(0.1):
            self.emit("openx", slot)
        else:
            self.emit("open", slot, encode(name))
        if index < 0 or self.devices[index].slot is not None:
            return
        device = self.devices[index]
        self.stale = {i: d for i, d in self.stale.items() if d is not device and i != slot}
        device.slot, device.scanning = slot, False
        if self.chance(0.8):
            self.desc_all(slot)

    def close(self, device: _Device) -> None:
        assert device.slot is not None
        self.stop_or_abandon(device)
        self.emit("close", device.slot)
        self.stale[device.slot] = device
        device.slot = None

    def stop_or_abandon(self, device: _Device) -> None:
        """Before a close or a second start: cancel, or let the producer come to rest."""
        if not device.scanning:
            return
        if self.tidy or device.slow or self.chance(0.4):
            self.emit("cancel", device.slot)
            device.scanning = False
        else:
            self.emit("settle")
            self.abandoned = True

    def stale_call(self) -> None:
        """Use a closed handle: every call but read checks it first."""
        if self.dispatched or not self.stale:
            return
        slot = self.rng.choice(list(self.stale))
        if self.ready and not self.stale[slot].forced and self.chance(0.15):
            self.emit("read", slot, 10)
        else:
            self.dead_call(slot)

    def null_call(self) -> None:
        if not self.dispatched:
            self.dead_call("N")
            if self.chance(0.2):
                self.emit("open", 7, self.names + "0", "n")

    def dead_call(self, slot: int | str) -> None:
        index = self.rng.choice((0, MODE, DEPTH, 36))
        calls = ("params", "start", "cancel", "close", "selectfd", "iomode", "auto", "desc", "get")
        call = self.rng.choice((*calls, "set"))
        if call == "desc":
            self.desc(slot, index)
        elif call == "get":
            self.get(slot, index)
        elif call == "set":
            self.set_random(slot, index)
        else:
            self.emit(call, slot, {"iomode": "0", "auto": "34"}.get(call, ""))

    # -- options ------------------------------------------------------------------------

    def set(self, device: _Device, index: int, value: object, fetch: float = 0.9) -> None:
        """Set a known value, a text or a word."""
        if self.chance(fetch):
            self.desc(device.slot or 0, index)
        option = self.options[index]
        coded = f"s {encode(value)}" if isinstance(value, str) else f"w {value}"
        self.emit("set", device.slot, index, option.size, coded)
        device.grid |= index == PICTURE and str(value)[:1] in "gG"
        device.forced |= index == READ_STATUS and value != "Default"
        device.slow |= index == DELAY and value != 0

    def set_some(self, device: _Device) -> None:
        index = self.rng.choice(EXTRA if self.chance(0.35) else COMMON)
        slot = device.slot or 0
        if index == PICTURE:
            self.set(device, index, self.some_picture())
        elif index in GEOMETRY:
            self.set(device, index, self.some_length())
        elif index == RESOLUTION:
            self.set(device, index, self.some_resolution())
        elif index == READ_STATUS:
            self.set(
                device, index, self.rng.choice(("Default", "default", *FORCED, "SANE_STATUS_"))
            )
            if self.chance(0.6):
                self.scan_once(device)
                self.emit("cancel", slot)
                self.set(device, index, "Default")
        elif index == FUZZY:
            self.set(device, index, self.rng.choice((0, 2, -1, 1 if self.fuzzy else 0)))
        else:
            if index == SWAP:
                self.set(device, DEPTH, 16)
            if self.chance(0.85):
                self.desc(slot, index)
            device.slow |= index == DELAY
            self.set_random(slot, index)
        if self.chance(0.4):
            self.get(slot, index)

    def some_picture(self) -> str:
        names = ["Solid black", "Solid white", "solid b", "SOLID W", "solid", "", "Stripes"]
        if not self.solid:
            names += ["Color pattern", "color pattern", "c", "Grid", "GRID", "gr", "Color pattern"]
        return self.rng.choice(names)

    def some_length(self) -> int:
        rng = self.rng
        if self.chance(0.1):
            return rng.choice((INT_MIN, -FIXED_ONE, 0, 200 * FIXED_ONE, 300 * FIXED_ONE, INT_MAX))
        half = rng.randint(0, 90) * FIXED_ONE // 2
        return half + rng.choice((0, 0, 1, -1, 6554))

    def some_resolution(self) -> int:
        rng = self.rng
        if self.chance(0.04):
            return rng.choice((1200 * FIXED_ONE, INT_MAX, 600 * FIXED_ONE))
        if self.chance(0.1):
            return rng.choice((FIXED_ONE, 0, -FIXED_ONE, INT_MIN, 98304, 2 * FIXED_ONE - 1))
        return rng.randint(4, 75) * FIXED_ONE + rng.choice((0, 0, 32768, 12345))

    def set_own(self, device: _Device) -> None:
        """Pass the descriptor's own constraint as the value, as some frontends do."""
        index = self.rng.choice((*LIST_ENTRIES, *OWN_MAXIMUM))
        entry = self.rng.randrange(LIST_ENTRIES[index]) if index in LIST_ENTRIES else -1
        self.emit("setself", device.slot, index, entry)

    def look(self, device: _Device) -> None:
        slot = device.slot or 0
        index = self.rng.randrange(self.count)
        if self.chance(0.3):
            self.desc_all(slot)
        elif self.chance(0.5):
            self.desc(slot, index)
        if self.chance(0.6):
            self.get(slot, index)
        if self.chance(0.3):
            self.params(device)

    def params(self, device: _Device) -> None:
        self.emit("params", device.slot, "f" if self.fuzzy else "n" if self.chance(0.03) else "")

    def auto_index(self) -> int:
        return self.rng.choice((34, self.rng.randrange(self.count)))

    def wrong(self, device: _Device) -> None:
        self.illegal(device.slot or 0)

    # -- scanning -----------------------------------------------------------------------

    def start(self, device: _Device) -> None:
        self.stop_or_abandon(device)
        self.emit("start", device.slot, "m" if device.grid else "")
        device.scanning = True

    def read_all(self, device: _Device) -> None:
        chunk = self.rng.choice((7, 100, 999, 4096, 4096, 32768, 32768, 65536, 100000))
        self.emit("readall", device.slot, chunk, CAP)
        if not device.forced:
            device.scanning = False

    def read_some(self, device: _Device) -> None:
        size = self.rng.choice((1, 2, 3, 10, 100, 1000, 5000))
        if self.chance(0.3):
            self.emit("read", device.slot, size)
            self.emit("readn", device.slot, 0)  # catches up what a short read left out
        else:
            self.emit("readn", device.slot, size)

    def scan_once(self, device: _Device) -> None:
        """Start and read, to the end or not, with calls between that must not disturb it."""
        self.start(device)
        for _ in range(self.rng.choice((0, 0, 1, 2, 4))):
            self.during(device)
        if self.chance(0.7):
            self.read_all(device)
        elif self.chance(0.5):
            self.emit("cancel", device.slot)
            device.scanning = False
        elif self.chance(0.15):
            self.emit("read", device.slot, 0)
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            self.during(device)

    def during(self, device: _Device) -> None:
        slot = device.slot or 0
        choice = self.rng.randrange(8)
        if choice <= 2:
            self.read_some(device)
        elif choice == 3:
            self.params(device)
        elif choice == 4:
            self.emit("selectfd", slot)
        elif choice == 5:
            self.emit("iomode", slot, 1)  # undone before anything is read
            self.emit("iomode", slot, 0)
        elif choice == 6:
            self.set_random(slot, self.rng.choice((MODE, DEPTH, HAND, TEST_OPTIONS)))
        else:
            self.get(slot, self.rng.choice((0, MODE, DEPTH, RESOLUTION)))

    def feeder(self, device: _Device) -> None:
        """Scan from the feeder until it is empty, and a little further."""
        self.emit("cancel", device.slot)
        device.scanning = False
        self.set(device, SOURCE, SOURCES[1])
        self.set(device, RESOLUTION, self.rng.randint(2, 12) * FIXED_ONE)
        for _ in range(self.rng.choice((11, 12, 13, 24))):
            self.start(device)
            self.read_all(device)
            if device.forced or self.chance(0.1):
                self.emit("cancel", device.slot)
                device.scanning = False
        if self.chance(0.6):
            self.set(device, SOURCE, SOURCES[0])

    def three_pass(self, device: _Device) -> None:
        self.emit("cancel", device.slot)
        device.scanning = False
        self.set(device, MODE, "Color")
        self.set(device, THREE_PASS, 1)
        self.set(device, ORDER, self.rng.choice(ORDERS), fetch=1)
        for _ in range(self.rng.choice((3, 3, 4, 7))):
            self.params(device)
            self.start(device)
            self.params(device)
            self.read_all(device)
            if self.chance(0.1):
                self.emit("cancel", device.slot)
            if self.chance(0.1):
                self.set(device, MODE, self.rng.choice(("Gray", "Color")))

    def hand_scan(self, device: _Device) -> None:
        self.emit("cancel", device.slot)
        device.scanning = False
        self.set(device, HAND, 1)
        self.params(device)
        self.scan_once(device)
        self.emit("cancel", device.slot)
        self.set(device, HAND, 0)

    def test_options(self, device: _Device) -> None:
        self.emit("cancel", device.slot)
        device.scanning = False
        self.set(device, TEST_OPTIONS, 1)
        self.desc_all(device.slot or 0)
        for _ in range(self.rng.randint(3, 12)):
            index = self.rng.choice(EXTRA)
            self.set_random(device.slot or 0, index)
            self.get(device.slot or 0, index)
        if self.chance(0.3):
            self.set(device, TEST_OPTIONS, 0)

    # -- the walk -----------------------------------------------------------------------

    def step(self) -> None:
        opened = self.open_devices()
        if not opened or self.chance(0.04 if len(opened) < 2 else 0.01):
            self.open_any()
            return
        roll = self.rng.random()
        device = self.rng.choice(opened)
        if roll < 0.06:
            self.rng.choice((self.stale_call, self.null_call, self.list_devices))()
        elif roll < 0.08:
            self.exit_and_init()
        elif roll < 0.11:
            self.close(device)
        else:
            self.use(device)

    def use(self, device: _Device) -> None:
        if device.scanning and self.chance(0.4):  # settings are locked: go on scanning
            self.rng.choice((self.read_all, self.read_some, self.during))(device)
        actions = {
            self.set_some: 40, self.look: 12, self.scan_once: 22, self.during: 6,
            self.wrong: 5, self.set_own: 4, self.feeder: 1, self.three_pass: 3,
            self.hand_scan: 2, self.test_options: 4,
        }  # fmt: skip
        self.rng.choices(list(actions), list(actions.values()))[0](device)


def generate_test_walk(seed: int, names: str = "", fetch: bool = False) -> Walk:
    """Return the walk of *seed*; *names* is what device names begin with ("test:" for dll).

    With *fetch*, no option is used without its descriptor being fetched just before.
    """
    walk = _TestWalk(random.Random(seed), names)
    walk.fetch = fetch
    walk.configure()
    if walk.chance(0.1):
        walk.list_devices()
    walk.init()
    length = walk.rng.randint(150, 400)
    while len(walk.lines) < length:
        walk.step()
    return Walk(seed, walk.lines)
