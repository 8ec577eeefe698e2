"""A cancel request: what waits for it ends, what comes later is not disturbed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sane.cancel import Cancel, Wake, wait_readable
from sane.errors import Cancelled
from tests import TREE
from tests.conftest import descriptors


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    found = Cancel()
    yield found
    found.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for fd in ends:
        os.close(fd)


def test_a_new_request_is_not_set(cancel: Cancel) -> None:
    assert not cancel.is_set()
    assert wait_readable((cancel.fd,), 0) == []


def test_set_makes_the_descriptor_readable_until_clear(cancel: Cancel) -> None:
    for _ in range(3):
        cancel.set()
        cancel.set()
        assert cancel.is_set()
        assert wait_readable((cancel.fd,), 0) == [cancel.fd]
        cancel.clear()
        assert not cancel.is_set()
        assert wait_readable((cancel.fd,), 0) == []


class LateWake(Wake):
    """A pipe whose first byte comes late: *before* was called meanwhile."""

    def __init__(self, before: Callable[[], None]) -> None:
        super().__init__()
        self._before: list[Callable[[], None]] = [before]

    def tell(self) -> None:
        while self._before:
            self._before.pop()()
        super().tell()


@pytest.mark.parametrize("call", ["set", "interrupt", "fd"])
def test_a_request_that_is_cleared_before_it_was_told_leaves_nothing(
    cancel: Cancel, call: str
) -> None:
    """Else each wait of the next job would end at once."""
    if call == "fd":
        cancel.set()

    def forget() -> None:
        cancel.clear()
        cancel.resume()

    cancel._wake.close()
    cancel._wake = late = LateWake(forget)
    if call == "fd":
        assert cancel.fd == late.fd
    else:
        getattr(cancel, call)()
    assert not cancel.is_set()
    assert wait_readable((cancel.fd,), 0) == []


def test_clear_without_a_request_does_not_block(cancel: Cancel) -> None:
    cancel.clear()
    cancel.clear()
    assert not cancel.is_set()


def test_wait_returns_false_after_the_time(cancel: Cancel) -> None:
    assert cancel.wait(0) is False
    assert cancel.wait(0.001) is False


def test_wait_never_waits_less_than_asked(cancel: Cancel) -> None:
    """poll counts milliseconds: 0.4 ms must not become 0, or a loop of waits spins."""
    import time

    before = time.monotonic()
    cancel.wait(0.0004)
    assert time.monotonic() - before >= 0.0004


def test_wait_ends_when_cancel_was_requested_before(cancel: Cancel) -> None:
    cancel.set()
    for seconds in (None, 10, 0):
        with pytest.raises(Cancelled):
            cancel.wait(seconds)


def test_wait_ends_when_cancel_is_requested_meanwhile(cancel: Cancel) -> None:
    thread = threading.Thread(target=cancel.set)
    thread.start()
    with pytest.raises(Cancelled):
        cancel.wait(10)
    thread.join()


def test_wait_tells_whether_the_descriptor_is_readable(
    cancel: Cancel, pipe: tuple[int, int]
) -> None:
    assert cancel.wait(0, pipe[0]) is False
    os.write(pipe[1], b"x")
    assert cancel.wait(10, pipe[0]) is True
    assert cancel.wait(None, pipe[0]) is True


def test_wait_prefers_cancel_to_data(cancel: Cancel, pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"x")
    cancel.set()
    with pytest.raises(Cancelled):
        cancel.wait(10, pipe[0])


def test_wait_ends_when_the_other_end_is_closed(cancel: Cancel) -> None:
    end, other = os.pipe()
    try:
        os.close(other)
        assert cancel.wait(10, end) is True
    finally:
        os.close(end)


def test_wait_on_a_closed_descriptor_does_not_hang(cancel: Cancel) -> None:
    end, other = os.pipe()
    os.close(end)
    os.close(other)
    assert cancel.wait(10, end) in (True, False)


def test_requests_are_independent(cancel: Cancel) -> None:
    other = Cancel()
    other.set()
    assert not cancel.is_set()
    assert cancel.wait(0) is False
    other.close()


def test_descriptors_are_non_blocking_and_not_inherited() -> None:
    wake = Wake()
    try:
        assert not os.get_blocking(wake.fd)
        assert not os.get_inheritable(wake.fd)
    finally:
        wake.close()


def test_a_pipe_that_another_thread_closes_while_it_is_made_anew_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A driver's thread may ask for the descriptor in the moment in which its handle is closed."""
    wake = Wake()
    os.close(wake.fd)  # the program did: the next use makes a pipe
    make = os.pipe2

    def make_late(flags: int) -> tuple[int, int]:
        wake.close()
        return make(flags)

    monkeypatch.setattr(os, "pipe2", make_late)
    before = descriptors()
    assert wake.fd == -1
    assert descriptors() <= before


def test_closing_twice_at_once_closes_nothing_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    wake = Wake()
    close, kept = os.close, os.open("/dev/null", os.O_RDONLY)

    def close_both(fd: int) -> None:
        monkeypatch.setattr(os, "close", close)
        close(fd)
        taken.append(os.dup(kept))  # takes the number that has become free
        wake.close()

    taken: list[int] = []
    monkeypatch.setattr(os, "close", close_both)
    wake.close()
    for fd in (kept, *taken):
        os.close(fd)  # open still


def test_descriptors_are_never_standard_streams() -> None:
    """A host may run with 0 to 2 closed: a pipe of ours there would take its output."""
    program = (
        f"import sys; sys.path.insert(0, {str(TREE)!r})\n"
        "import os\n"
        "from sane.cancel import Wake\n"
        "saved = os.dup(1)\n"
        "for fd in (0, 1, 2): os.close(fd)\n"
        "wakes = [Wake() for _ in range(3)]\n"
        "free = []\n"
        "for fd in (0, 1, 2):\n"
        "    try: os.fstat(fd)\n"
        "    except OSError: free.append(fd)\n"
        "os.write(saved, repr((min(wake.fd for wake in wakes) > 2, free)).encode())\n"
    )
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    assert done.stdout == "(True, [0, 1, 2])"


def test_descriptors_keep_away_from_the_standard_streams() -> None:
    """A frontend may run with 0 to 2 closed: what it prints must not go to a scanner."""
    code = """
import os
for fd in (0, 1):
    os.close(fd)
from sane.cancel import Wake, above_stdio
from sane.transport.streams import ByteStream
wake = Wake()
fds = [wake.fd, above_stdio(os.open("/", os.O_RDONLY)), above_stdio(2)]
import _socket
server = _socket.socket()
assert server.fileno() == 0
server.listen(1)
fds.append(ByteStream.connect(*server.getsockname()).fileno())
os.write(fds[2], " ".join(map(str, fds)).encode())
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=TREE, capture_output=True, text=True, check=False)
    fds = [int(word) for word in done.stderr.split()]
    assert min(fds) > 2
    assert len(set(fds)) == 4


# A descriptor that is not ours any more


@contextmanager
def replaced_by_a_file(path: Path) -> Iterator[tuple[Cancel, list[int]]]:
    """Give a request whose descriptors are the program's own file by now, and their numbers."""
    request = Cancel()
    pipe = os.readlink(f"/proc/self/fd/{request.fd}")
    fds = [int(entry.partition(":")[0]) for entry in descriptors() if entry.endswith(f":{pipe}")]
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    for fd in fds:
        os.dup2(file, fd)
    os.close(file)
    try:
        yield request, fds
    finally:
        request.close()
        for fd in fds:
            os.close(fd)


@pytest.mark.parametrize("use", ["set", "clear", "interrupt", "resume", "close"])
def test_a_file_of_the_program_at_its_number_stays_as_it_is(tmp_path: Path, use: str) -> None:
    with replaced_by_a_file(tmp_path / "own") as (request, fds):
        getattr(request, use)()
        assert (tmp_path / "own").read_bytes() == b""
        assert len(fds) == 2
        for fd in fds:
            os.write(fd, b"still open")


def test_its_descriptor_is_made_anew_where_a_file_took_the_number(tmp_path: Path) -> None:
    with replaced_by_a_file(tmp_path / "own") as (request, fds):
        assert request.fd not in fds
        assert request.wait(0) is False
        request.set()
        assert wait_readable((request.fd,), 0)


def test_a_request_that_was_there_stays_readable(tmp_path: Path) -> None:
    with replaced_by_a_file(tmp_path / "own") as (request, _):
        request.set()
        assert wait_readable((request.fd,), 0)


def test_a_request_after_close_is_harmless() -> None:
    request = Cancel()
    request.close()
    request.set()
    request.close()
    assert request.fd == -1


@pytest.mark.parametrize("use", ["set", "clear", "interrupt", "close"])
def test_a_forked_child_does_not_touch_its_parents(cancel: Cancel, use: str) -> None:
    cancel.set()
    number = cancel.fd
    child = os.fork()
    if child == 0:
        good = True
        try:
            getattr(cancel, use)()
            good = use == "close" or cancel.fd == number
        finally:
            os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert wait_readable((cancel.fd,), 0)  # clear in the child took nothing away
    cancel.clear()
    assert not wait_readable((cancel.fd,), 0)


def test_a_child_has_a_request_of_its_own(cancel: Cancel) -> None:
    child = os.fork()
    if child == 0:
        cancel.set()
        os._exit(0 if wait_readable((cancel.fd,), 0) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not cancel.is_set()
    assert not wait_readable((cancel.fd,), 0)


# An interruption is no request


def test_an_interruption_ends_waits_until_resumed(cancel: Cancel) -> None:
    cancel.interrupt()
    with pytest.raises(Cancelled):
        cancel.wait(10)
    cancel.resume()
    assert cancel.wait(0) is False


def test_a_request_during_an_interruption_stays(cancel: Cancel) -> None:
    cancel.interrupt()
    cancel.set()
    cancel.resume()
    assert cancel.is_set()
    assert wait_readable((cancel.fd,), 0)


def test_clear_leaves_an_interruption(cancel: Cancel) -> None:
    cancel.interrupt()
    cancel.clear()
    assert wait_readable((cancel.fd,), 0)
    cancel.resume()
