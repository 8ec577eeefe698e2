"""Run in a process of its own: rounds of saned's parent, in which several things happen at once.

rounds.py SCENARIO FOLDER prints "all is well". Its listener gives clients whatever address they
should have, and its service is a function for each client, called in that client's process. What
the parent logs is where the scenario waits, so that everything that follows is one round of poll.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sane.config import Environment
from sane.saned import daemon, places
from sane.saned.options import Options
from sane.sessions import DEBUG, ERROR
from sane.sessions.access import SanedConf

STRANGER, FRIEND, LISTED = "10.0.0.3", "10.0.0.4", "10.0.0.5"
SECONDS = 10  # then this process is ended, or a client's: something waits for ever
Serve = Callable[[Callable[[], None]], None]


class Arrivals:
    """Stands in for a listening socket: it is readable while one of *hosts* has not been taken."""

    port, path, name, is_loopback = 0, "", "the test's listener", True

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = list(hosts)
        self._reader, writer = os.pipe()
        os.write(writer, bytes(len(hosts)))
        self._writer = writer  # open: the end of a pipe is readable
        self._null = os.open(os.devnull, os.O_RDWR)

    def fileno(self) -> int:
        return self._reader

    def accept(self) -> tuple[int, object]:
        os.read(self._reader, 1)
        return os.dup(self._null), (self._hosts.pop(0), 1)

    def close(self) -> None:
        for fd in (self._reader, self._writer, self._null):
            os.close(fd)


class Scene:
    """What the parent serves its clients with. served: called with each process, in the parent."""

    settings, lists = SanedConf(), None

    def __init__(
        self, folder: Path, clients: Mapping[str, Serve], served: Callable[[int], None]
    ) -> None:
        (folder / "saned.conf").write_text(f"friend.example.org\n{LISTED}\n")
        self.environment = Environment({"SANE_CONFIG_DIR": str(folder)})
        self.logged: list[tuple[int, str]] = []
        self._clients = list(clients.values())
        self._arrivals = Arrivals(list(clients))
        self._served = served
        self.stop_at = ""  # a text of the log

    def log(self, level: int, text: str) -> None:
        self.logged.append((level, text))
        if self.stop_at and self.stop_at in text:
            signal.raise_signal(signal.SIGTERM)
        found = re.search("served by process ([0-9]+)", text)
        if found:
            self._clients.pop(0)
            self._served(int(found[1]))

    def serve(self, fd: int, reason: str, admitted: Callable[[], None]) -> None:
        signal.alarm(SECONDS)
        self._clients[0](admitted)

    def run(self, once: bool = False) -> None:
        """Run the parent to its end."""
        options = Options()
        options.once = once
        listeners = [self._arrivals]
        daemon.Daemon(options, listeners, self).run()  # type: ignore[arg-type]

    def told(self, text: str) -> list[int]:
        """Return the levels at which *text* was logged."""
        return [level for level, line in self.logged if text in line]


def ended(pid: int) -> None:
    """Wait for the end of a process, and leave it to be noted."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def stay(admitted: Callable[[], None]) -> None:
    signal.pause()


def same_round(folder: Path) -> None:
    """A stranger's process ends in the round in which a friend, whom a name lets in, connects.

    Its pipe gets the number of the stranger's. The friend's name takes until another was served.
    """
    reader, writer = os.pipe()

    def friend(admitted: Callable[[], None]) -> None:
        os.read(reader, 1)
        admitted()
        os.kill(os.getppid(), signal.SIGTERM)
        stay(admitted)

    def listed(admitted: Callable[[], None]) -> None:
        os.write(writer, b"1")

    first = [ended]

    def served(pid: int) -> None:
        if first:
            first.pop()(pid)

    clients = {STRANGER: lambda admitted: None, FRIEND: friend, LISTED: listed}
    scene = Scene(folder, clients, served)
    scene.run()
    assert len(scene.told("served by process")) == 3, scene.logged
    assert scene.told(f"{FRIEND}: process") and not scene.told("refused"), scene.logged


def early_sigterm(folder: Path) -> None:
    """SIGTERM to a client's process counts also in the first moment of its life."""
    os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))
    for host in (LISTED, STRANGER):
        scene = Scene(folder, {host: stay}, ended)
        scene.run(once=True)
        assert scene.told(f"{host}: process") == [DEBUG], scene.logged


def parent_sigterm(folder: Path) -> None:
    """SIGTERM to the parent in the moment of a fork ends it, and the client."""
    os.register_at_fork(before=lambda: os.kill(os.getpid(), signal.SIGTERM))
    begin = time.monotonic()
    Scene(folder, {LISTED: stay}, lambda pid: None).run()
    assert time.monotonic() - begin < daemon.LEAVE_SECONDS
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def crashes(folder: Path) -> None:
    """The end of a client's process that was not one of its own is an error, with its cause."""

    def crash(admitted: Callable[[], None]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def give_up(admitted: Callable[[], None]) -> None:
        os._exit(3)

    for serve, text, levels in (
        (crash, "ended by SIGKILL", [ERROR]),
        (give_up, "ended with status 3", [ERROR]),
        (lambda admitted: None, "ended with status 0", [DEBUG]),
    ):
        scene = Scene(folder, {LISTED: serve}, lambda pid: None)
        scene.run(once=True)
        assert scene.told(text) == levels, scene.logged


def told_to_end(folder: Path) -> None:
    """A client's process that ends because the server told it to is no error."""
    scene = Scene(folder, {LISTED: stay}, lambda pid: signal.raise_signal(signal.SIGTERM))
    scene.run()
    assert scene.told("ended by SIGTERM") == [DEBUG], scene.logged


def stubborn(folder: Path) -> None:
    """One that does not end when it is told is killed, and that is said."""
    daemon.LEAVE_SECONDS = 0.1
    reader, writer = os.pipe()

    def serve(admitted: Callable[[], None]) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(writer, b"1")
        while True:
            signal.pause()

    def served(pid: int) -> None:
        os.read(reader, 1)
        signal.raise_signal(signal.SIGTERM)

    scene = Scene(folder, {LISTED: serve}, served)
    scene.run()
    assert scene.told("has not ended") == [ERROR], scene.logged
    assert scene.told("ended by SIGKILL") == [DEBUG], scene.logged


def once_overdue(folder: Path) -> None:
    """With --once, too, a name that nobody knows is looked up for a limited time."""
    places.PENDING_SECONDS = 0.1
    scene = Scene(folder, {STRANGER: stay}, lambda pid: None)
    scene.run(once=True)
    assert scene.told("names are not looked up in time"), scene.logged
    assert scene.told("ended by SIGKILL") == [DEBUG], scene.logged


def once_named(folder: Path) -> None:
    """With --once, too, a client that a name lets in is served for as long as it likes."""
    places.PENDING_SECONDS = 1.0

    def serve(admitted: Callable[[], None]) -> None:
        admitted()
        time.sleep(2 * places.PENDING_SECONDS)

    scene = Scene(folder, {FRIEND: serve}, lambda pid: None)
    scene.run(once=True)
    assert scene.told("ended with status 0"), scene.logged


def unknown_peer(folder: Path) -> None:
    """Who has neither an address nor come by the path of a Unix socket is not a local user."""
    scene = Scene(folder, {"3": stay}, lambda pid: None)  # as of a virtual machine's socket
    scene.stop_at = "refused: who is at the other end is not known"
    scene.run()
    assert scene.told(scene.stop_at), scene.logged


SCENARIOS = {
    found.__name__: found
    for found in (
        *(same_round, early_sigterm, parent_sigterm, crashes, told_to_end, stubborn),
        *(once_overdue, once_named, unknown_peer),
    )
}

if __name__ == "__main__":
    signal.alarm(SECONDS)
    SCENARIOS[sys.argv[1]](Path(sys.argv[2]))
    print("all is well")
