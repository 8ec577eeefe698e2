"""Random walks through our saned, with the original's client and with ours, against local ones.

Left out because a network changes it: options during a frame (the server's frame is over before its
client has read it), parameters between the frames of a job, what follows a read that failed, what a
failed GET leaves in the buffer.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import walks
from tests.peers.frontends import ATTEMPTS
from tests.peers.walk_conf import (
    CAP,
    COMMON,
    EXTRA,
    FUZZY,
    OPTIONS,
    READ_STATUS,
    RESOLUTION,
    TEST_OPTIONS,
    THREE_PASS,
    TITLED,
)
from tests.peers.walk_values import FIXED_ONE, Commands, encode
from tests.support.ports import PORT, loopback_address
from tests.support.saned import Saned, configure, environment

HOST = "HOST:"  # in the commands, where a walk through the network names its server
LEFT = " WRITTEN"  # what the original client does to the buffer of a GET that fails


class NetWalk(Commands):
    """A walk on the two devices; with *passes* in three passes too, else frames are cut short."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng, OPTIONS, TITLED)
        self.passes = self.chance(0.5)
        self.opened: dict[int, int] = {}  # device -> slot

    def run(self, length: int) -> list[str]:
        """Return the commands."""
        self.emit("init", "m")
        self.emit("devices", 0)
        while len(self.lines) < length:
            self.step()
        for slot in self.opened.values():
            self.emit("close", slot)
        self.emit("exit")
        return self.lines

    def step(self) -> None:
        device = self.rng.randrange(2)
        slot = self.opened.get(device)
        if slot is None:
            self.opened[device] = slot = device
            self.emit("open", slot, encode(f"{HOST}test:{device}"))
            self.descs(slot)
            self.set(slot, RESOLUTION, self.rng.randint(4, 40) * FIXED_ONE)
        elif self.chance(0.03):
            self.emit("close", slot)
            del self.opened[device]
        else:
            actions = {self.change: 6, self.look: 2, self.scan: 3, self.wrong: 1}
            self.rng.choices(list(actions), list(actions.values()))[0](slot)

    def descs(self, slot: int) -> None:
        """Fetch all descriptors, as after a reload; help texts are compared without a network."""
        self.desc_all(slot)

    def set(self, slot: int, index: int, word: int) -> None:
        self.emit("set", slot, index, 4, "w", word)
        self.descs(slot)

    def change(self, slot: int) -> None:
        if self.chance(0.1):
            self.set(slot, TEST_OPTIONS, 1)
        index = self.rng.choice(EXTRA if self.chance(0.4) else COMMON)
        if index in (FUZZY, RESOLUTION, READ_STATUS) or (index == THREE_PASS and not self.passes):
            return
        self.set_random(slot, index)
        self.descs(slot)
        self.get(slot, index)

    def look(self, slot: int) -> None:
        self.get(slot, self.rng.randrange(self.count))
        self.emit("params", slot)

    def wrong(self, slot: int) -> None:
        self.get(slot, self.odd_index())
        self.emit("action", slot, self.rng.randrange(self.count), 99)
        self.descs(slot)

    def scan(self, slot: int) -> None:
        for _ in range(self.rng.choice((1, 1, 3, 4))):
            self.emit("start", slot, "m")
            self.emit("params", slot)
            if not self.passes and self.chance(0.2):
                self.emit("readn", slot, self.rng.choice((1, 10, 100)))
                break
            self.emit("readall", slot, self.rng.choice((7, 999, 4096, 32768, 100_000)), CAP)
        self.emit("cancel", slot)
        if self.chance(0.5):
            self.emit("params", slot)


def trace(walker: Path, side: walks.Side, commands: list[str], config: Path) -> list[str]:
    """Run the commands on one library; return a line for each."""
    config.mkdir(exist_ok=True)
    done = subprocess.run(
        [walker, side.library, side.prefix],
        input="\n".join(commands).encode() + b"\n",
        capture_output=True,
        env=environment(config),
        cwd=config,
        timeout=walks.TIMEOUT,
        check=False,
    )
    lines = done.stdout.decode("latin-1").replace(LEFT, "").splitlines()
    return lines if done.returncode == 0 else [*lines, f"{walks.ENDED} {done.returncode})"]


def steady_trace(walker: Path, side: walks.Side, commands: list[str], config: Path) -> list[str]:
    """Do the same, again if the program dies: the original's test backend at times gets SIGPIPE.

    It loses a race with its own thread at the end of a scan; frontends.py meets it, too.
    """
    for _ in range(ATTEMPTS):
        lines = trace(walker, side, commands, config)
        if not lines[-1].startswith(walks.ENDED):
            break
    return lines


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return walks.build_walker(tmp_path_factory.mktemp("walker"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saned]:
    config = configure(tmp_path_factory.mktemp("server"))
    with Saned(config, address=loopback_address(), port=PORT) as server:
        yield server


def check(walker: Path, server: Saned, far: walks.Side, near: walks.Side, folder: Path) -> None:
    """Compare walks through *server* with the library *far* with local ones with *near*."""
    remote = configure(folder / "far", "net\n", net_conf=f"{server.address}\n")
    local = configure(folder / "near")
    prefix = f"net:{server.address}:"
    for seed in range(walks.walk_count(12)):
        commands = NetWalk(random.Random(seed)).run(150)
        traces = []
        for side, config, name in ((far, remote, prefix), (near, local, "")):
            words = [line.replace(encode(HOST), encode(name) if name else "") for line in commands]
            run = trace if name else steady_trace
            traces.append([t.replace(prefix, "") for t in run(walker, side, words, config)])
        report = walks.compare(commands, *traces)
        assert not report, f"seed {seed}: {report}"
    shutil.rmtree(folder)


def test_walks_of_the_originals_client_on_our_saned(
    walker: Path, server: Saned, tmp_path: Path
) -> None:
    theirs = walks.their_library()
    check(walker, server, theirs, theirs, tmp_path / "walks")


def test_walks_of_our_client_on_our_saned(walker: Path, server: Saned, tmp_path: Path) -> None:
    ours = walks.our_library()
    check(walker, server, ours, ours, tmp_path / "walks")
