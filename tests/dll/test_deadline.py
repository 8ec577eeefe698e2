"""Calls with a deadline: what never returns costs itself only, late results are disposed of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from signal import (
    SIG_BLOCK,
    SIGALRM,
    SIGINT,
    SIGTERM,
    SIGUSR1,
    pthread_kill,
    pthread_sigmask,
    signal,
)
from threading import get_ident

import pytest

from sane.dll import deadline
from sane.errors import AccessDenied, Jammed, Misbehaved
from sane.threads import start_thread

LONG = 20.0


def unused(result: object) -> None:
    raise AssertionError(f"a result in time is not late: {result!r}")


def call(function: Callable[[], object], seconds: float = LONG) -> object:
    return deadline.call(function, seconds, "backend x: open", unused)


class Stuck:
    """A function that returns when the test lets it; the test ends when it has."""

    def __init__(self, answer: object = "late") -> None:
        self.answer = answer
        self.release = threading.Event()
        self.late: list[object] = []
        self.disposed = threading.Event()

    def __call__(self) -> object:
        assert self.release.wait(LONG)
        if isinstance(self.answer, BaseException):
            self.disposed.set()  # nothing will be
            raise self.answer
        return self.answer

    def dispose(self, result: object) -> None:
        self.late.append(result)
        self.disposed.set()

    def call(self, seconds: float = 0.02) -> object:
        return deadline.call(self, seconds, "backend x: open", self.dispose)


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    found = Stuck()
    yield found
    found.release.set()
    assert found.disposed.wait(LONG)


def test_the_result_comes_back() -> None:
    assert call(lambda: 42) == 42
    assert call(lambda: None) is None


@pytest.mark.parametrize("exc", [Jammed("paper"), KeyError("x"), SystemExit(3), MemoryError()])
def test_an_exception_comes_back(exc: BaseException) -> None:
    def fail() -> object:
        raise exc

    with pytest.raises(type(exc)) as caught:
        call(fail)
    assert caught.value is exc


def test_the_call_runs_in_another_thread_with_signals_blocked() -> None:
    seen: list[tuple[int, set[int]]] = []
    call(lambda: seen.append((get_ident(), set(pthread_sigmask(SIG_BLOCK, ())))))
    assert seen[0][0] != get_ident()
    assert {SIGINT, SIGTERM, SIGALRM} <= seen[0][1]


def test_a_call_that_does_not_return_is_given_up_by_name(stuck: Stuck) -> None:
    with pytest.raises(Misbehaved, match=r"^backend x: open has not returned after 0\.02 s$"):
        stuck.call()


def test_a_late_result_is_disposed_of(stuck: Stuck) -> None:
    with pytest.raises(Misbehaved):
        stuck.call()
    assert stuck.late == []
    stuck.release.set()
    assert stuck.disposed.wait(LONG)
    assert stuck.late == ["late"]


def test_a_late_exception_is_nobodys() -> None:
    stuck = Stuck(Jammed("too late"))
    with pytest.raises(Misbehaved):
        stuck.call()
    stuck.release.set()
    assert stuck.disposed.wait(LONG)
    assert stuck.late == []


def interrupted(opened: Stuck, where: Callable[[], None]) -> None:
    """Open through deadline.call, with *where* called as soon as that has begun."""

    def opening() -> object:
        where()
        return opened()

    with pytest.raises(KeyboardInterrupt):
        deadline.call(opening, LONG, "backend x: open", opened.dispose)


def test_a_caller_that_is_interrupted_leaves_nothing_open(stuck: Stuck) -> None:
    """Ctrl-C in a Python program, while a device is opened: it is closed when it is open."""

    def handler(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal(SIGUSR1, handler)
    waiting = get_ident()
    try:
        # To the thread that waits: of a process, another one may get it, and this one sleeps on.
        interrupted(stuck, lambda: pthread_kill(waiting, SIGUSR1))
    finally:
        signal(SIGUSR1, before)
    stuck.release.set()
    assert stuck.disposed.wait(LONG)
    assert stuck.late == ["late"]


@pytest.mark.parametrize("finished", [False, True], ids=["opening", "opened"])
def test_an_interrupt_before_the_wait_leaves_nothing_open(
    stuck: Stuck, monkeypatch: pytest.MonkeyPatch, finished: bool
) -> None:
    """The signal mask of the caller comes back with the signal that was pending."""
    begun = threading.Event()

    def interrupting(run: Callable[[], None]) -> None:
        ended = threading.Event()

        def whole() -> None:
            run()
            ended.set()

        start_thread(whole)
        assert begun.wait(LONG)
        if finished:
            stuck.release.set()
            assert ended.wait(LONG)
        raise KeyboardInterrupt

    monkeypatch.setattr(deadline, "start_thread", interrupting)
    interrupted(stuck, begun.set)
    stuck.release.set()
    assert stuck.disposed.wait(LONG)
    assert stuck.late == ["late"]


def test_other_calls_go_on_beside_one_that_hangs(stuck: Stuck) -> None:
    with pytest.raises(Misbehaved):
        stuck.call()
    assert call(lambda: 1) == 1


# What runs on the caller's thread


def test_relay_runs_on_the_thread_that_waits() -> None:
    ident = call(lambda: deadline.relay(get_ident))
    assert ident == get_ident()


def test_relay_without_a_call_runs_at_once() -> None:
    assert deadline.relay(lambda one, two: (one, two), 1, 2) == (1, 2)
    assert deadline.relay(get_ident) == get_ident()


def test_relay_passes_arguments_results_and_exceptions() -> None:
    def refuse(resource: str) -> None:
        raise AccessDenied(resource)

    assert call(lambda: deadline.relay(lambda text: text.upper(), "abc")) == "ABC"
    with pytest.raises(AccessDenied, match="scanner"):
        call(lambda: deadline.relay(refuse, "scanner"))


def test_relay_works_several_times_in_a_call() -> None:
    idents: list[int] = []

    def ask() -> int:
        for _ in range(3):
            deadline.relay(lambda: idents.append(get_ident()))
        return len(idents)

    assert call(ask) == 3
    assert idents == [get_ident()] * 3


def test_relay_that_fails_can_be_tried_again() -> None:
    def ask() -> str:
        with pytest.raises(AccessDenied):
            deadline.relay(refuse)
        return str(deadline.relay(lambda: "second"))

    def refuse() -> None:
        raise AccessDenied

    assert call(ask) == "second"


def test_time_in_relayed_calls_does_not_count() -> None:
    """A user types a password: that takes as long as it takes."""
    typed = threading.Event()
    timer = threading.Timer(0.15, typed.set)
    timer.start()
    assert call(lambda: deadline.relay(typed.wait, LONG), 0.1) is True
    timer.join()


def test_relay_of_a_call_that_was_given_up_does_not_hang() -> None:
    """Its caller is gone: nobody would ever run it."""
    release, ended = threading.Event(), threading.Event()
    outcome: list[BaseException | object] = []

    def ask() -> None:
        assert release.wait(LONG)
        try:
            outcome.append(deadline.relay(get_ident))
        except Exception as exc:
            outcome.append(exc)
        finally:
            ended.set()

    with pytest.raises(Misbehaved):
        deadline.call(ask, 0.02, "open", lambda late: None)
    release.set()
    assert ended.wait(2), "the thread waits for ever"
    assert isinstance(outcome[0], Exception)
