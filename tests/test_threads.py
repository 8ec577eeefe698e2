"""The reader thread and its ring: order, limits, errors, cancel, readability, and no leaks."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sane.cancel import Cancel, wait_readable
from sane.errors import Cancelled, DeviceIOError, Jammed
from sane.threads import RING_BYTES, Ring, start_thread

Source = Callable[[memoryview], int]
MakeRing = Callable[..., Ring]


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    found = Cancel()
    yield found
    found.close()


@pytest.fixture
def ring_of(cancel: Cancel) -> Iterator[MakeRing]:
    """Return what makes a Ring of a source; it is stopped and closed after the test."""
    rings = []

    def make(source: Source, limit: int = -1) -> Ring:
        rings.append(Ring(source, cancel, limit))
        return rings[-1]

    yield make
    cancel.set()
    for ring in rings:
        assert ring.stop()
        ring.close()


def pattern(size: int) -> bytes:
    return random.Random(size).randbytes(size)


class Data:
    """A source of *data* in pieces of at most *piece* bytes, then *end*."""

    def __init__(self, data: bytes, piece: int = 1 << 30, end: Any = 0) -> None:
        self.data = data
        self.piece = piece
        self.end = end
        self.taken = 0
        self.sizes: list[int] = []

    def __call__(self, view: memoryview) -> int:
        self.sizes.append(len(view))
        n = min(len(view), self.piece, len(self.data) - self.taken)
        if not n and isinstance(self.end, BaseException):
            raise self.end
        view[:n] = self.data[self.taken : self.taken + n]
        self.taken += n
        return n


class Gate:
    """A source that waits for its turn, cancellable, and then delivers one byte."""

    def __init__(self, cancel: Cancel) -> None:
        self.cancel = cancel
        self.waiting = threading.Event()
        self._turns, self._given = os.pipe()

    def give_turn(self) -> None:
        os.write(self._given, b"!")

    def __call__(self, view: memoryview) -> int:
        self.waiting.set()
        self.cancel.wait(None, self._turns)
        os.read(self._turns, 1)
        view[0] = 7
        return 1

    def close(self) -> None:
        os.close(self._turns)
        os.close(self._given)


@pytest.fixture
def gate(cancel: Cancel) -> Iterator[Gate]:
    found = Gate(cancel)
    yield found
    found.close()


def read_all(ring: Ring, size: int) -> bytes:
    data = bytearray()
    buffer = bytearray(size)
    while n := ring.read_into(memoryview(buffer), True):
        data += buffer[:n]
    return bytes(data)


def ready(ring: Ring, seconds: float = 10) -> bool:
    return wait_readable((ring.fd,), seconds) == [ring.fd]


# Order and limits


@pytest.mark.parametrize("total", [0, 1, 1000, RING_BYTES, RING_BYTES + 1, 5 * RING_BYTES // 2])
@pytest.mark.parametrize(("piece", "size"), [(1 << 30, 1 << 20), (777, 1000), (60_000, 4096)])
def test_bytes_arrive_in_order(ring_of: MakeRing, total: int, piece: int, size: int) -> None:
    data = pattern(total)
    assert read_all(ring_of(Data(data, piece)), size) == data


@pytest.mark.parametrize("limit", [0, 1, 999, RING_BYTES, 2 * RING_BYTES + 5])
def test_no_more_than_the_limit_is_taken(ring_of: MakeRing, limit: int) -> None:
    source = Data(pattern(3 * RING_BYTES), 50_000)
    assert read_all(ring_of(source, limit), 70_000) == source.data[:limit]
    assert source.taken == limit


def test_the_source_never_sees_an_empty_view(ring_of: MakeRing) -> None:
    source = Data(pattern(2 * RING_BYTES), 12345)
    read_all(ring_of(source, 2 * RING_BYTES), 4321)
    assert min(source.sizes) > 0
    assert max(source.sizes) <= RING_BYTES


def test_a_short_view_takes_what_it_holds(ring_of: MakeRing) -> None:
    ring = ring_of(Data(b"abcdef"))
    buffer = bytearray(4)
    assert ring.read_into(memoryview(buffer), True) == 4
    assert ring.read_into(memoryview(buffer), True) == 2
    assert buffer == b"efcd"


def test_the_end_is_told_again_and_again(ring_of: MakeRing) -> None:
    ring = ring_of(Data(b"ab"))
    assert read_all(ring, 10) == b"ab"
    for block in (True, False, True):
        assert ring.read_into(memoryview(bytearray(1)), block) == 0


# Errors


@pytest.mark.parametrize("exc", [Jammed("paper"), OSError(5, "x"), KeyError("x"), SystemExit(1)])
@pytest.mark.parametrize("block", [True, False])
def test_an_error_comes_after_the_bytes_before_it(
    ring_of: MakeRing, exc: BaseException, block: bool
) -> None:
    ring = ring_of(Data(b"abc", end=exc))
    data = b""
    with pytest.raises(type(exc)) as caught:
        while True:
            assert ready(ring)
            buffer = bytearray(2)
            n = ring.read_into(memoryview(buffer), block)
            data += buffer[: n or 0]
    assert data == b"abc"
    assert caught.value is exc
    with pytest.raises(type(exc)):
        ring.read_into(memoryview(bytearray(1)), block)


# Cancel and stop


def test_cancel_ends_a_read_that_waits(ring_of: MakeRing, cancel: Cancel, gate: Gate) -> None:
    ring = ring_of(gate)
    assert gate.waiting.wait(10)
    thread = threading.Thread(target=cancel.set)
    thread.start()
    with pytest.raises(Cancelled):
        ring.read_into(memoryview(bytearray(1)), True)
    thread.join()


def test_cancel_while_full_ends_the_thread(cancel: Cancel) -> None:
    source = Data(pattern(2 * RING_BYTES))
    ring = Ring(source, cancel, -1)
    assert ready(ring)
    cancel.set()
    assert ring.stop()
    assert RING_BYTES >= source.taken > 0
    ring.close()


def test_stop_ends_a_thread_that_waits_for_room(cancel: Cancel) -> None:
    """No cancel: the frame is given up because of an error elsewhere."""
    source = Data(pattern(2 * RING_BYTES), RING_BYTES)
    ring = Ring(source, cancel, -1)
    assert ready(ring)
    assert ring.stop()
    ring.close()


def test_stop_after_the_end_returns_at_once(cancel: Cancel) -> None:
    ring = Ring(Data(b"ab"), cancel, -1)
    read_all(ring, 10)
    assert ring.stop()
    ring.close()


def test_stop_of_a_source_that_waits_and_is_cancelled(cancel: Cancel, gate: Gate) -> None:
    ring = Ring(gate, cancel, -1)
    assert gate.waiting.wait(10)
    cancel.set()
    assert ring.stop()
    ring.close()


# Readability and non-blocking reads


def test_nothing_yet_is_none_and_not_readable(ring_of: MakeRing, gate: Gate) -> None:
    ring = ring_of(gate)
    assert gate.waiting.wait(10)
    assert ring.read_into(memoryview(bytearray(1)), False) is None
    assert not ready(ring, 0)


def test_readable_as_long_as_there_are_bytes(ring_of: MakeRing, gate: Gate) -> None:
    ring = ring_of(gate)
    gate.give_turn()
    buffer = bytearray(10)
    assert ready(ring)
    assert ring.read_into(memoryview(buffer), True) == 1
    assert not ready(ring, 0)
    gate.give_turn()
    assert ready(ring)


def test_readable_at_the_end_for_good(ring_of: MakeRing) -> None:
    ring = ring_of(Data(b"ab"))
    read_all(ring, 1)
    for _ in range(3):
        assert ready(ring)
        assert ring.read_into(memoryview(bytearray(1)), False) == 0


def test_readable_after_an_error_for_good(ring_of: MakeRing) -> None:
    ring = ring_of(Data(b"", end=Jammed()))
    for _ in range(3):
        assert ready(ring)
        with pytest.raises(Jammed):
            ring.read_into(memoryview(bytearray(1)), False)


def test_whenever_it_is_readable_a_read_gets_something(ring_of: MakeRing, gate: Gate) -> None:
    """saned and xsane read once for every time that poll says so."""
    ring = ring_of(gate)
    nothing = 0
    for _ in range(500):
        gate.give_turn()
        assert ready(ring)
        while ring.read_into(memoryview(bytearray(1)), False) is None:
            nothing += 1
    assert nothing == 0


def test_no_wake_up_is_lost_in_a_long_race(ring_of: MakeRing) -> None:
    data = pattern(8 * RING_BYTES)
    sizes = random.Random(1)
    ring = ring_of(Data(data, 3000), len(data))
    received = bytearray()
    while len(received) < len(data):
        assert ready(ring)
        buffer = bytearray(sizes.choice((1, 100, 5000, 300_000)))
        n = ring.read_into(memoryview(buffer), False)
        received += buffer[: n or 0]
    assert received == data


# Threads


def test_start_thread_blocks_all_signals() -> None:
    """The frontend's handlers never run on a thread of ours."""
    masks: list[set[int]] = []
    done = threading.Event()

    def run() -> None:
        masks.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
        done.set()

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    start_thread(run)
    assert done.wait(10)
    unblockable = {signal.SIGKILL, signal.SIGSTOP}
    assert {signal.SIGINT, signal.SIGALRM, signal.SIGTERM, signal.SIGCHLD} <= masks[0]
    assert masks[0] >= set(signal.valid_signals()) - unblockable
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_two_rings_do_not_meet(ring_of: MakeRing) -> None:
    one, other = pattern(100_000), pattern(100_001)
    rings = ring_of(Data(one, 1000)), ring_of(Data(other, 1000))
    assert (read_all(rings[0], 4096), read_all(rings[1], 4096)) == (one, other)


@pytest.mark.parametrize("free", [0, 1, 2, 3])
def test_a_ring_without_descriptors_leaves_none(cancel: Cancel, free: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        for _ in range(free):
            os.close(held.pop())
        with pytest.raises(OSError, match="Too many open files"):
            Ring(lambda view: 0, cancel, -1)
        for _ in range(free):  # as many are free as before
            held.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        for fd in held:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_forked_child_leaves_its_parents_ring_alone(ring_of: MakeRing, gate: Gate) -> None:
    ring = ring_of(gate)
    assert gate.waiting.wait(10)
    child = os.fork()
    if child == 0:
        good = False
        try:
            ring.read_into(memoryview(bytearray(10)), True)
        except DeviceIOError:
            good = ring.stop()
            ring.close()
        finally:
            os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not ready(ring, 0)
    gate.give_turn()
    assert ready(ring)
    assert ring.read_into(memoryview(bytearray(10)), True) == 1
