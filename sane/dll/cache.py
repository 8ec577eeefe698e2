"""The list of devices that was made last, kept in a file of the user's for the next program.

It knows files and who may write them; it knows neither backends nor who asks. The file is text:

    pysane devices 2
    key TEXT            what the list depends on: another text is another list
    time SECONDS        when it was made, since 1970
    backend NAME MS     how long that backend took, or -; then its devices
    device NAME VENDOR MODEL TYPE UUID SERIAL HOST USB
    end

with %XX for blanks, controls and percent signs. Whatever is not exactly so is no list.
"""

from __future__ import annotations

import os
from stat import S_ISREG

from ..backend import DeviceInfo
from .trust import OTHERS_MAY_WRITE, weak_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config import Environment
    from ..debug import Debug

    Lists = dict[str, list[DeviceInfo]]

HEAD = "pysane devices 2"
FOLDER = "pysane"
MOST_BYTES = 1 << 20
CLOCK_SECONDS = 2.0  # what another program's list may seem to come from the future
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Kept:
    """A list from a file: the devices by backend, how long each backend took, and its age."""

    __slots__ = ("age", "durations_ms", "lists")

    def __init__(self, lists: Lists, durations_ms: dict[str, int], age: float) -> None:
        self.lists = lists
        self.durations_ms = durations_ms
        self.age = age


def folder(environment: Environment) -> str | None:
    """Return the user's cache folder of ours, None without one."""
    base = environment.get("XDG_CACHE_HOME") or ""
    if not os.path.isabs(base):
        home = environment.get("HOME") or ""
        base = os.path.join(home, ".cache") if os.path.isabs(home) else ""
    return os.path.join(base, FOLDER) if base else None


class Cache:
    """The file *name* in folder *place*, for lists made under the conditions *key*."""

    def __init__(self, place: str, name: str, key: str, debug: Debug) -> None:
        self._place = place
        self._name = name
        self._key = key
        self._debug = debug

    def load(self) -> Kept | None:
        """Return the list in the file; None if there is none for these conditions."""
        try:
            data = self._read()
            if len(data) > MOST_BYTES:
                raise ValueError("it is too long")
            return _parse(data.decode("utf-8", "surrogateescape"), self._key)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as exc:
            self._debug(1, "%s/%s is not used: %s", self._place, self._name, exc)
            return None

    def _read(self) -> bytes:
        directory = _open_folder(self._place)
        try:
            fd = os.open(self._name, _READ, dir_fd=directory)
        finally:
            os.close(directory)
        try:
            _check(os.fstat(fd), is_file=True)
            return os.read(fd, MOST_BYTES + 1)
        finally:
            os.close(fd)

    def store(self, lists: Lists, durations_ms: dict[str, int]) -> None:
        """Keep *lists*; a failure is reported at level 1."""
        import time

        from ..wholefile import write_whole

        lines = [HEAD, f"key {_quote(self._key)}", f"time {time.time():.3f}"]
        for backend, devices in lists.items():
            lines.append(f"backend {_quote(backend)} {durations_ms.get(backend, '-')}")
            for device in devices:
                shown = device.name, device.vendor, device.model, device.type
                texts = *shown, *device.identity()
                lines.append(" ".join(["device", *map(_quote, texts)]))
        data = "\n".join([*lines, "end", ""]).encode("utf-8", "surrogateescape")
        try:
            _check_way(self._place)
            os.makedirs(self._place, 0o700, exist_ok=True)
            directory = _open_folder(self._place)
            try:
                write_whole(self._name, data, folder=directory)
            finally:
                os.close(directory)
        except OSError as exc:
            self._debug(1, "%s/%s cannot be written: %s", self._place, self._name, exc)


def _open_folder(place: str) -> int:
    """Open the folder; raises PermissionError if others than this user may write there.

    Or if others can lead the way to it elsewhere, by a link of theirs.
    """
    _check_way(place)
    directory = os.open(place, _DIRECTORY)
    try:
        _check(os.fstat(directory), is_file=False)
    except BaseException:
        os.close(directory)
        raise
    return directory


def _check_way(place: str) -> None:
    weak = weak_place(place)
    if weak is not None:
        raise PermissionError(f"others than this user may write {weak}")


def _check(state: os.stat_result, is_file: bool) -> None:
    if is_file and not S_ISREG(state.st_mode):
        raise PermissionError("it is no file")
    if state.st_uid != os.geteuid() or state.st_mode & OTHERS_MAY_WRITE:
        raise PermissionError("others than this user may write there")


def _parse(text: str, key: str) -> Kept | None:
    """Return what the file says, None if it is about something else; raises ValueError."""
    import time

    lines = text.split("\n")
    if lines[0] != HEAD or lines[-2:] != ["end", ""]:
        raise ValueError("it is not whole")
    if _words(lines[1], "key", 1)[0] != key:
        return None
    age = time.time() - float(_words(lines[2], "time", 1)[0])
    if not -CLOCK_SECONDS <= age < float("inf"):
        raise ValueError("it comes from the future")
    lists: Lists = {}
    durations_ms: dict[str, int] = {}
    devices: list[DeviceInfo] | None = None
    for line in lines[3:-2]:
        if line.startswith("backend "):
            name, ms = _words(line, "backend", 2)
            devices = lists[name] = []
            if ms != "-":
                durations_ms[name] = int(ms)
        elif devices is None:
            raise ValueError(f"{line!r} belongs to no backend")
        else:
            name, vendor, model, type, uuid, serial, host, usb = _words(line, "device", 8)
            found = DeviceInfo(
                name, vendor, model, type, uuid=uuid, serial=serial, host=host, usb=usb
            )
            if not all((found.name, found.vendor, found.model, found.type)):
                raise ValueError(f"{line!r} has an empty text")
            devices.append(found)
    return Kept(lists, durations_ms, max(age, 0.0))


def _words(line: str, word: str, count: int) -> list[str]:
    """Return the *count* words after *word*."""
    first, *words = line.split(" ")
    if first != word or len(words) != count:
        raise ValueError(f"{line!r} is not {word} and {count} texts")
    return [_unquote(text) for text in words]


def _quote(text: str) -> str:
    return "".join(
        char if char >= "!" and char not in "%\x7f" else f"%{ord(char):02x}" for char in text
    )


def _unquote(text: str) -> str:
    first, *parts = text.split("%")
    if any(len(part) < 2 for part in parts):
        raise ValueError(f"{text!r} ends in a quote")
    whole = first + "".join(chr(int(part[:2], 16)) + part[2:] for part in parts)
    if "\0" in whole:
        raise ValueError(f"{text!r} has a NUL")
    return whole
