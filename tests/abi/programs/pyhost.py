"""A Python program that uses libsane.so.1 through ctypes: pyhost.py LIBRARY COMMAND [--c-backend].

It runs in any Python 3, without the test suite. Each command prints what the test compares.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable

GOOD, UNSUPPORTED, CANCELLED, EOF = 0, 1, 2, 5
GET, SET = 0, 1
PATIENCE = 10.0


class Parameters(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_int)
        for name in ("format", "last_frame", "bytes_per_line", "pixels_per_line", "lines", "depth")
    ]


class Descriptor(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_char_p) for name in ("name", "title", "desc")),
        *((name, ctypes.c_int) for name in ("type", "unit", "size", "cap", "constraint_type")),
        ("constraint", ctypes.c_void_p),
    ]


class Device(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("name", "vendor", "model", "type")]


class Sane:
    """The library; *loader* is ctypes.CDLL (calls without the GIL) or ctypes.PyDLL (with it)."""

    def __init__(self, path: str, loader: type[ctypes.CDLL] = ctypes.CDLL) -> None:
        self.lib = loader(path)
        self.lib.sane_get_option_descriptor.restype = ctypes.POINTER(Descriptor)
        self.lib.sane_strstatus.restype = ctypes.c_char_p

    def init(self) -> None:
        version = ctypes.c_int()
        assert self.lib.sane_init(ctypes.byref(version), None) == GOOD
        assert version.value >> 24 == 1

    def devices(self) -> tuple[int, list[str]]:
        array = ctypes.POINTER(ctypes.POINTER(Device))()
        status = self.lib.sane_get_devices(ctypes.byref(array), 0)
        names: list[str] = []
        while array[len(names)]:
            names.append(array[len(names)].contents.name.decode())
        return status, names

    def open(self, name: str) -> tuple[int, ctypes.c_void_p]:
        handle = ctypes.c_void_p()
        return self.lib.sane_open(name.encode(), ctypes.byref(handle)), handle

    def opened(self, name: str) -> ctypes.c_void_p:
        status, handle = self.open(name)
        assert status == GOOD, status
        return handle

    def options(self, handle: ctypes.c_void_p) -> dict[str, int]:
        found: dict[str, int] = {}
        while True:
            index = len(found)
            descriptor = self.lib.sane_get_option_descriptor(handle, index)
            if not descriptor:
                return found
            found[descriptor.contents.name.decode() or f"group {index}"] = index

    def set(self, handle: ctypes.c_void_p, name: str, value: int | str) -> None:
        data = (
            ctypes.create_string_buffer(value.encode())
            if isinstance(value, str)
            else ctypes.c_int(value)
        )
        index = self.options(handle)[name]
        status = self.lib.sane_control_option(handle, index, SET, ctypes.byref(data), None)
        assert status == GOOD, (name, status)

    def get(self, handle: ctypes.c_void_p, name: str) -> int:
        word = ctypes.c_int()
        index = self.options(handle)[name]
        assert self.lib.sane_control_option(handle, index, GET, ctypes.byref(word), None) == GOOD
        return word.value

    def read(self, handle: ctypes.c_void_p, size: int) -> tuple[int, bytes]:
        data = ctypes.create_string_buffer(size)
        length = ctypes.c_int(-1)
        status = self.lib.sane_read(handle, data, size, ctypes.byref(length))
        return status, data.raw[: length.value]

    def scan(self, handle: ctypes.c_void_p) -> bytes:
        threads = count_threads()
        assert self.lib.sane_start(handle) == GOOD
        parameters = Parameters()
        assert self.lib.sane_get_parameters(handle, ctypes.byref(parameters)) == GOOD
        whole = parameters.bytes_per_line * parameters.lines
        image = b""
        while len(image) < whole:
            status, data = self.read(handle, min(32768, whole - len(image)))
            assert status == GOOD, status
            image += data
        await_threads(threads)
        assert self.read(handle, 32768) == (EOF, b"")
        self.lib.sane_cancel(handle)
        return image


def count_threads() -> int:
    return len(os.listdir("/proc/self/task"))


def await_threads(wanted: int) -> None:
    """Let the reading thread of the original `test` end: it cancels that, as reload.c says."""
    ends_by = time.monotonic() + PATIENCE
    while "--c-backend" in sys.argv and count_threads() > wanted and time.monotonic() < ends_by:
        time.sleep(0.001)


def refused(path: str) -> None:
    """Use the library from a Python that it was not built for."""
    sane = Sane(path)
    sane.init()
    for _ in range(2):
        print(*sane.devices())
        print(sane.open("test:0")[0])
    sane.lib.sane_exit()


def snapshot() -> tuple[object, ...]:
    """Return what belongs to the host and must stay as it is."""
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGPIPE)]
    return (
        list(sys.path),
        sys.stdout,
        sys.stderr,
        list(sys.meta_path),
        dict(os.environ),
        *handlers,
        sys.getswitchinterval(),
        threading.active_count(),
    )


def session(path: str) -> None:
    """List, open, set, scan, twice; the host's interpreter stays as it was."""
    before = snapshot()
    sane = Sane(path)
    for _ in range(2):
        sane.init()
        print(*sane.devices())
        handle = sane.opened("test:0")
        sane.set(handle, "mode", "Color")
        sane.set(handle, "depth", 16)
        assert sane.get(handle, "depth") == 16
        print(len(sane.scan(handle)))
        sane.lib.sane_close(handle)
        sane.lib.sane_exit()
    assert snapshot() == before
    print("sane" in sys.modules, "_pysane" in sys.modules)


def own_package(path: str) -> None:
    """Our package is imported already, as sane: there is one copy."""
    sys.path.insert(0, os.path.join(os.path.dirname(path), "pysane"))
    import sane as package

    sane = Sane(path)
    sane.init()
    assert sane.devices()[0] == GOOD
    print(sys.modules["sane"] is package, "_pysane" in sys.modules)
    print(len(package.devices()), len(sane.devices()[1]))


def paced(sane: Sane) -> tuple[ctypes.c_void_p, int, int]:
    """Open the device that waits for a byte per line; return it, what it tells, its gate."""
    told, gate = os.pipe(), os.pipe()
    handle = sane.opened("proper:flat")
    sane.set(handle, "told", told[1])
    sane.set(handle, "gate", gate[0])
    return handle, told[0], gate[1]


def blocked_read(path: str, loader: type[ctypes.CDLL] = ctypes.CDLL) -> None:
    """A Python thread lets a read go on, for which another thread waits in C."""
    sane = Sane(path, loader)
    sane.init()
    handle, told, gate = paced(sane)
    assert sane.lib.sane_start(handle) == GOOD
    seen: list[bytes] = []

    def let_go() -> None:
        while not seen or seen[-1] != b"r":
            seen.append(os.read(told, 1))
        os.write(gate, b"g")

    thread = threading.Thread(target=let_go)
    thread.start()
    status, data = sane.read(handle, 100)
    thread.join(PATIENCE)
    print(status, len(data), b"".join(seen).decode())


def blocked_read_with_gil(path: str) -> None:
    """The same in a host that calls with the GIL held."""
    blocked_read(path, ctypes.PyDLL)


def cancel_in_thread(path: str) -> None:
    """Cancel from the main thread while a Python thread is in sane_read."""
    sane = Sane(path, ctypes.PyDLL)
    sane.init()
    handle, told, _ = paced(sane)
    assert sane.lib.sane_start(handle) == GOOD
    results: list[tuple[int, bytes]] = []
    thread = threading.Thread(target=lambda: results.append(sane.read(handle, 100)))
    thread.start()
    while os.read(told, 1) != b"r":
        pass
    sane.lib.sane_cancel(handle)
    thread.join(PATIENCE)
    sane.lib.sane_close(handle)
    print(results)


def many_threads(path: str) -> None:
    """Python threads that come and go, each with a device, calling with and without the GIL."""
    sizes: list[int] = []

    def work(number: int) -> None:
        sane = Sane(path, (ctypes.CDLL, ctypes.PyDLL)[number])
        for _ in range(5):
            handle = sane.opened(f"test:{number}")
            sizes.append(len(sane.scan(handle)))
            sane.lib.sane_close(handle)

    Sane(path).init()
    for _ in range(5):
        threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    print(len(sizes), len(set(sizes)))


def fork(path: str) -> None:
    """os.fork of a Python host: parent and child both go on, in the middle of a scan."""
    sane = Sane(path)
    sane.init()
    handle = sane.opened("test:0")
    whole = sane.scan(handle)
    assert sane.lib.sane_start(handle) == GOOD
    _, first = sane.read(handle, 1000)
    warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on: there is a second thread
    child = os.fork()
    if child == 0:
        other = sane.opened("test:1")
        good = sane.scan(other) == whole
        assert sane.lib.sane_start(other) == GOOD
        sane.lib.sane_cancel(other)
        good &= sane.read(other, 10)[0] == CANCELLED
        sane.lib.sane_exit()
        os._exit(0 if good else 1)
    _, status = os.waitpid(child, 0)
    rest = b""
    while True:
        code, data = sane.read(handle, 32768)
        if code != GOOD:
            break
        rest += data
    print(status, first + rest == whole)


def told_by(told: int, count: int) -> str:
    """Return the next *count* letters that a driver tells, fewer when they do not come."""
    letters = b""
    while len(letters) < count and select.select([told], [], [], PATIENCE / 2)[0]:
        letters += os.read(told, 1)
    return letters.decode()


def forked(work: Callable[[], bool]) -> int:
    """Run *work* in a child; return its exit status."""
    warnings.simplefilter("ignore", DeprecationWarning)
    child = os.fork()
    if child == 0:
        signal.alarm(int(PATIENCE))
        os._exit(0 if work() else 1)
    return os.waitpid(child, 0)[1]


def fork_exit(path: str) -> None:
    """A child ends the library for itself; the parent's cancel is carried out all the same."""
    sane = Sane(path)
    sane.init()
    handle, told, _ = paced(sane)
    assert sane.lib.sane_start(handle) == GOOD
    status = forked(lambda: not sane.lib.sane_exit() or True)
    before = told_by(told, 3)
    sane.lib.sane_cancel(handle)
    print(status, before, told_by(told, 1))


def fork_cancel(path: str) -> None:
    """A child cancels its copy of a scan, which the parent goes on with."""
    sane = Sane(path)
    sane.init()
    handle = sane.opened("test:0")
    whole = sane.scan(handle)
    assert sane.lib.sane_start(handle) == GOOD

    def cancel() -> bool:
        sane.lib.sane_cancel(handle)
        return sane.read(handle, 10)[0] == CANCELLED

    status = forked(cancel)
    rest = b""
    while (answer := sane.read(handle, 32768))[0] == GOOD:
        rest += answer[1]
    print(status, rest == whole)


def fork_beside_a_read(path: str) -> None:
    """The child has a handle that a thread was in which does not exist there."""
    sane = Sane(path)
    sane.init()
    handle, told, gate = paced(sane)
    assert sane.lib.sane_start(handle) == GOOD
    results: list[tuple[int, bytes]] = []
    thread = threading.Thread(target=lambda: results.append(sane.read(handle, 100)))
    thread.start()
    assert told_by(told, 2) == "sr"

    def use() -> bool:
        refused: bool = sane.lib.sane_get_parameters(handle, ctypes.byref(Parameters())) != GOOD
        sane.lib.sane_cancel(handle)
        sane.lib.sane_exit()
        return refused

    status = forked(use)
    os.write(gate, b"g")
    thread.join(PATIENCE)
    print(status, [(code, len(data)) for code, data in results])


def leave_open(path: str) -> None:
    """End with a scan under way, and a daemon thread in a blocked read."""
    sane = Sane(path)
    sane.init()
    handle, told, _ = paced(sane)
    assert sane.lib.sane_start(handle) == GOOD
    threading.Thread(target=sane.read, args=(handle, 100), daemon=True).start()
    while os.read(told, 1) != b"r":
        pass
    other = sane.opened("test:0")
    assert sane.lib.sane_start(other) == GOOD
    print("left")


def close_at_exit(path: str) -> None:
    """Close from a finaliser that runs when the interpreter is being taken apart."""
    sane = Sane(path)
    sane.init()
    handle = sane.opened("test:0")
    threads = count_threads()
    assert sane.lib.sane_start(handle) == GOOD
    await_threads(threads)  # the whole page fits into its pipe

    class Closer:
        def __init__(self) -> None:
            self.lib = sane.lib

        def __del__(self) -> None:
            self.lib.sane_cancel(handle)
            self.lib.sane_close(handle)
            self.lib.sane_exit()

    sys.closer = Closer()  # type: ignore[attr-defined]  # sys goes last
    print("left")


def two_libraries(path: str) -> None:
    """libsane.so.1 and a backend's own library: nothing of one is the other's."""
    sane = Sane(path)
    sane.init()
    handle = sane.opened("test:0")
    backend = ctypes.CDLL(os.path.join(os.path.dirname(path), "sane", "libsane-test.so.1"))
    assert backend.sane_test_init(None, None) == GOOD
    other = ctypes.c_void_p()
    print(backend.sane_test_open(b"0", ctypes.byref(other)))
    backend.sane_test_exit()
    print(len(sane.options(handle)))


COMMANDS: dict[str, Callable[[str], None]] = {
    command.__name__: command
    for command in (
        *(refused, session, own_package, blocked_read, blocked_read_with_gil, cancel_in_thread),
        *(
            many_threads,
            fork,
            fork_exit,
            fork_cancel,
            fork_beside_a_read,
            leave_open,
            close_at_exit,
            two_libraries,
        ),
    )
}

if __name__ == "__main__":
    COMMANDS[sys.argv[2]](sys.argv[1])
