"""Random walks through the network answer like the same walks on the server's own devices.

Both sides are ours; the walks fetch a descriptor before each use of an option, so that what the
test backend remembers of that is the same on both.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import walks
from tests.peers.original_saned import PORT
from tests.support.ports import loopback_address
from tests.support.saned import Saned

DISPATCHED = "test:"

# A data connection can be watched and read without waiting, whatever the device itself can.
MODES = ("iomode", "selectfd")
CONTROLS = ("get", "set", "setself", "auto", "action")
ROUNDS = 5  # of leaving out what does not mean the same, until nothing is left


def portable(commands: list[str], lines: list[str]) -> list[str]:
    """Return *commands* without those that mean something else through a network.

    lines: what they gave. The server reads ahead: while the client reads a frame, the device may
    have ended it, and an option can be set or not; nor does it know when the client has read to
    the end, so that it goes on to answer with the parameters of that frame. So each frame is read
    to its end before anything else is done; what reads answer without one is for other tests. One
    that fails is cancelled: the net backend does so by itself, the test backend does not.
    """
    chosen = []
    scanning: set[str] = set()
    ended: set[str] = set()
    failed = ""
    for command, line in zip(commands, lines, strict=True):
        verb, *words = command.split(" ")
        slot = words[0] if words else ""
        if failed and command != f"cancel {failed}":
            chosen.append(f"cancel {failed}")
        failed = ""
        if verb in ("start", "cancel", "close") and slot in scanning:
            chosen.append(f"readall {slot} 65536 3000000")
        reads = verb.startswith("read")
        if (reads and (slot not in scanning or words[1] == "0")) or (
            verb == "params" and slot in ended
        ):
            continue
        if verb in CONTROLS and slot in scanning:
            continue
        chosen.append(command)
        if verb in ("start", "cancel", "close", "open"):
            ended.discard(slot)
            scanning.discard(slot)
        if verb == "start" and line.startswith("GOOD"):
            scanning.add(slot)
        elif reads and not line.startswith(("GOOD", "CAP")):
            scanning.discard(slot)
            ended.add(slot)
            failed = "" if line.startswith("EOF") else slot
    return chosen


class Far:
    """Runs walks through the network: the server reads the configuration that they write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "walk"
        self.server_folder = folder / "server"
        for place in (self.folder, self.server_folder):
            place.mkdir()
        (self.server_folder / "dll.conf").write_text("test\n")
        config = Path(f"{self.server_folder}:{self.folder}")
        self.server = Saned(config, address=loopback_address(), port=PORT)
        self.prefix = f"net:{self.server.address}:"

    def run(self, walker: Path, walk: walks.Walk) -> list[str]:
        (self.folder / "net.conf").write_text(f"{self.server.address}\n")
        commands = [self.command(command) for command in walk.commands]
        far = walks.Walk(walk.seed, commands)
        lines = walks.run_walk(walker, walks.our_library(), far, self.folder, dll="net\n")
        stderr = self.server.process.stderr
        while stderr is not None and select.select([stderr], [], [], 0)[0]:
            os.read(stderr.fileno(), 1 << 16)  # a full pipe would stop the server
        return [line.replace(self.prefix, "") for line in lines]

    def command(self, command: str) -> str:
        """Return *command* with the name of a device as it is far away."""
        words = command.split(" ")
        if words[0] == "open" and words[2].startswith("test"):
            words[2] = f"{self.prefix}{words[2]}"
        if words[0] == "devices":
            words[1] = "0"  # a local list has nothing from elsewhere
        return " ".join(words)


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    made = Far(tmp_path_factory.mktemp("far"))
    yield made
    made.server.stop()


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return walks.build_walker(tmp_path_factory.mktemp("walker"))


def test_walks_through_the_network_answer_like_local_ones(
    walker: Path, far: Far, tmp_path: Path
) -> None:
    for seed in range(walks.walk_count(10)):
        report = compared(walker, far, seed, tmp_path)
        assert not report, f"seed {seed}: {report}"


def compared(walker: Path, far: Far, seed: int, folder: Path) -> str:
    """Return how the walk of *seed* differs through the network, "" if it does not."""
    walk = walks.generate_test_walk(seed, DISPATCHED, fetch=True)
    near: list[str] = []
    for _ in range(ROUNDS):
        near = walks.run_walk(walker, walks.our_library(), walk, folder / "near")
        chosen = portable(walk.commands, near)
        if chosen == walk.commands:
            break
        walk = walks.Walk(seed, chosen)
    else:
        raise AssertionError(f"seed {seed}: no end of what is left out")
    sides = ([*far.run(walker, walk)], near)
    for lines in sides:
        for index, command in enumerate(walk.commands[: len(lines)]):
            if command.startswith(MODES):
                lines[index] = ""
    return walks.compare(walk.commands, *sides)
