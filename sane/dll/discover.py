"""Asks backends for their devices: all at once, each with a deadline.

It knows threads, the helper ``probe`` and what that answers; it knows neither C nor the names of
dll.conf. Python backends are asked in threads, C backends by the helper, in a process each: one
that crashes, hangs or exits costs its own devices only. Without the helper they are asked here one
after another, as the original does it. Source: architecture, "Discovery".
"""

from __future__ import annotations

import os

from ..config import is_recorded
from ..errors import DeviceIOError, Misbehaved, ScanTimeout
from . import deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..backend import DeviceInfo
    from .answers import Answer
    from .listing import Refresh
    from .pysane_conf import PysaneConf
    from .registry import Loader

    Lists = dict[str, list[DeviceInfo]]

SLACK_SECONDS = 2.0  # beyond a backend's deadline: to end its processes and to tell
READ_BYTES = 1 << 16


class Discovery:
    """Asks the backends of one registry; remembers who is slow, and who has not come back.

    processes: what starts and ends the helper, the module spawn unless a test says otherwise.
    """

    def __init__(self, loader: Loader, processes: Any = None) -> None:
        import _thread

        self._loader = loader
        self._processes = processes
        self._calls: dict[str, deadline.Call] = {}
        self._lock = _thread.RLock()  # one list at a time: no backend is asked twice at once
        self.durations_ms: dict[str, int] = {}

    def ask(
        self,
        names: Sequence[str],
        local_only: bool,
        settings: PysaneConf,
        refresh: Refresh | None = None,
    ) -> Lists:
        """Return the devices of each backend that answered, by its name.

        Whoever fails is named in one line and lists nothing. A Python backend past its deadline is
        not asked again until it has returned. refresh: nobody waits for the list, and it may be
        stopped.
        """
        with self._lock:
            return self._ask(names, local_only, settings, refresh)

    def _ask(
        self,
        names: Sequence[str],
        local_only: bool,
        settings: PysaneConf,
        refresh: Refresh | None,
    ) -> Lists:
        own, c_backends, loaded = self._sort(names)
        if len(own) == 1 and not (c_backends or loaded or refresh or settings.hurries):
            return {own[0]: self._loader.list_devices(own[0], local_only)}
        begin = _now()
        helper = self._start(c_backends, local_only, settings) if c_backends else None
        if c_backends and helper is None:
            loaded = [*loaded, *c_backends]
        groups = [[name] for name in own]
        if loaded and refresh is None:
            groups.append(loaded)
        elif loaded and refresh is not None:  # no thread of ours may come between the frontend's
            refresh.stopped = True
        calls = [(group, self._call(group, local_only)) for group in groups]
        found: Lists = {}
        if helper is not None:
            if refresh is not None:
                refresh.helper_started(helper)
            helper.collect(settings.seconds, found, settings.hurries)
        if refresh is not None:
            refresh.helper_ended()
        for group, call in calls:
            seconds = settings.seconds * (1 if settings.hurries else len(group))
            try:
                found |= call.wait(max(0.0, begin + seconds - _now()), "list_devices")
            except Misbehaved:
                self._late(group, f"list_devices has not returned after {seconds:g} s")
        return found

    def busy(self) -> set[str]:
        """Return the backends that are still in a call."""
        return {name for name, call in self._calls.items() if not call.done}

    def _sort(self, names: Sequence[str]) -> tuple[list[str], dict[str, list[str]], list[str]]:
        """Return our own backends, the libraries of the C ones, and those of them in memory.

        The slowest come first. A C backend that has opened a device is in memory; it alone
        knows that device now, and a helper would find it busy.
        """
        own = []
        c_backends: dict[str, list[str]] = {}
        loaded = []
        busy = self.busy()
        for name in sorted(names, key=lambda name: -self.durations_ms.get(name, 0)):
            if name in busy:
                self._late([name], "is not asked: it has not returned from an earlier list")
            elif self._loader.is_c_backend(name):
                loaded.append(name)
            elif libraries := self._loader.c_libraries(name):
                c_backends[name] = libraries
            else:
                own.append(name)
        return own, c_backends, loaded

    def _call(self, group: list[str], local_only: bool) -> deadline.Call:
        """Begin to ask the backends of *group*, one after another."""

        def ask() -> Lists:
            found = {}
            for name in group:
                begin = _now()
                found[name] = self._loader.list_devices(name, local_only)
                self.durations_ms[name] = int((_now() - begin) * 1000)
            return found

        call = deadline.Call(ask, lambda late: None).begin()
        self._calls.update((name, call) for name in group)
        return call

    def _start(
        self, c_backends: dict[str, list[str]], local_only: bool, settings: PysaneConf
    ) -> Helper | None:
        environment = self._loader.context.environment
        numbers = (settings.jobs, int(settings.seconds * 1000), int(local_only))
        arguments = [probe_program(), *map(str, numbers)]
        for name, libraries in c_backends.items():
            arguments += (name, ":".join(libraries))
        others = {name: value for name, value in os.environ.items() if not is_recorded(name)}
        variables = others | environment.variables  # these as of sane_init, not of now
        try:
            if self._processes is None:
                from .. import spawn

                self._processes = spawn
            fd, pid = self._processes.spawn(
                [os.fsencode(text) for text in arguments],
                [os.fsencode(f"{name}={value}") for name, value in variables.items()],
                environment.cwd,
            )
        except (ImportError, OSError) as exc:
            self._loader.debug(1, "%s: %s; C backends are asked in this process", arguments[0], exc)
            return None
        return Helper(fd, pid, list(c_backends), self, self._processes)

    def _late(self, names: list[str], text: str) -> None:
        """Note, and tell, that backends have taken too long."""
        self.tell(" or ".join(names), 0, text)
        self._loader.failures.update((name, ScanTimeout(text)) for name in names)

    def failed(self, name: str, reason: str) -> None:
        """Note why the list of backend *name* is not whole, "" for nothing."""
        self._loader.failures.pop(name, None)
        if reason:
            self._loader.failures[name] = DeviceIOError(reason)

    def tell(self, name: str, level: int, text: str) -> None:
        """Write one line about backend *name*."""
        self._loader.debug(level, "backend %s: %s", name, text)


class Helper:
    """A running probe: takes its answers until it has spoken of every backend."""

    def __init__(
        self, fd: int, pid: int, names: list[str], discovery: Discovery, processes: Any
    ) -> None:
        import _thread

        self._fd = fd
        self._pid = pid
        self._names = names
        self._discovery = discovery
        self._processes = processes
        self._hung_up = False
        self._lock = _thread.allocate_lock()  # guards the descriptor: hang_up, or close

    def hang_up(self) -> None:
        """End it from another thread: collect() returns when it is gone."""
        with self._lock:
            self._hung_up = True
            if self._fd >= 0:
                self._processes.hang_up(self._fd)

    def collect(self, seconds: float, found: Lists, hurries: bool = False) -> None:
        """Put what the backends list into *found*; *seconds* is the deadline of each.

        hurries: it is that of all together.
        """
        import select

        from .answers import Answers

        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        answers = Answers(len(self._names))
        missing = set(self._names)
        ended = False
        until = _now() + seconds
        try:
            while not ended:
                left = max(0.0, until - _now()) if hurries else seconds + SLACK_SECONDS
                if not poll.poll(left * 1000):
                    break
                data = os.read(self._fd, READ_BYTES)
                ended = not data
                for answer in answers.feed(data):
                    missing.discard(self._names[answer.number])
                    self._take(answer, found)
        except (Misbehaved, OSError) as exc:
            self._discovery.tell("probe", 0, str(exc))
        with self._lock:
            os.close(self._fd)  # if it still runs, it ends now, with all that it started
            self._fd = -1
        for name in () if self._hung_up else missing:
            text = "the helper that asks it has given no answer"
            self._discovery.failed(name, text)
            self._discovery.tell(name, 0, text)
        if ended:
            self._processes.reap(self._pid)

    def _take(self, answer: Answer, found: Lists) -> None:
        name = self._names[answer.number]
        self._discovery.durations_ms[name] = answer.ms
        for level, text in answer.notes:
            self._discovery.tell(name, level, text)
        if answer.devices is not None:
            found[name] = answer.devices
        is_lost = answer.devices is None
        told = [text for level, text in answer.notes if level <= int(is_lost)]
        self._discovery.failed(name, "; ".join(told) or ("it has failed" if is_lost else ""))


def probe_program() -> str:
    """Return where probe lies in this installation: below the prefix, or in the wheel."""
    package = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    inside = os.path.join(package, "lib", "pysane", "probe")
    if os.path.exists(inside):
        return inside
    prefix = os.path.dirname(os.path.dirname(os.path.dirname(package)))
    return os.path.join(prefix, "libexec", "pysane", "probe")


def _now() -> float:
    import time

    return time.monotonic()
