"""Calls without SIGPIPE: the thread's mask afterwards, and a signal that was pending before."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from sane import sigpipe

PIPE = {signal.SIGPIPE}


def ways() -> Iterator[object]:
    """Yield (block, restore): Python's, and the compiled ones of a compiled tree."""
    yield pytest.param((sigpipe._block, sigpipe._restore), id="python")
    try:
        from sane import sigmask
    except ImportError:
        return
    yield pytest.param((sigmask.block, sigmask.restore), id="compiled")


@pytest.fixture(params=list(ways()))
def without_sigpipe(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., object]]:
    """Give sigpipe.without_sigpipe one of the ways, in a host that dies of SIGPIPE."""
    monkeypatch.setattr(sigpipe, "_way", [request.param])
    action = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    yield sigpipe.without_sigpipe
    if signal.SIGPIPE in signal.sigpending():
        signal.sigwait(PIPE)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PIPE)
    signal.signal(signal.SIGPIPE, action)


def write_to_nobody() -> None:
    end, other = os.pipe()
    os.close(end)
    try:
        os.write(other, b"x")
    finally:
        os.close(other)


def test_a_write_to_a_closed_pipe_is_an_error(without_sigpipe: Callable[..., object]) -> None:
    with pytest.raises(BrokenPipeError):
        without_sigpipe(write_to_nobody)
    assert signal.SIGPIPE not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.SIGPIPE not in signal.sigpending()


def test_the_result_and_the_arguments_pass(without_sigpipe: Callable[..., object]) -> None:
    assert without_sigpipe(divmod, 7, 2) == (3, 1)
    assert signal.SIGPIPE not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_thread_that_blocks_it_goes_on_blocking_it(
    without_sigpipe: Callable[..., object],
) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, PIPE)
    with pytest.raises(BrokenPipeError):
        without_sigpipe(write_to_nobody)
    assert signal.SIGPIPE in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.SIGPIPE not in signal.sigpending()


def test_one_that_was_pending_stays_so(without_sigpipe: Callable[..., object]) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, PIPE)
    signal.pthread_kill(threading.get_ident(), signal.SIGPIPE)
    without_sigpipe(int)
    assert signal.SIGPIPE in signal.sigpending()


def test_calls_within_calls(without_sigpipe: Callable[..., object]) -> None:
    with pytest.raises(BrokenPipeError):
        without_sigpipe(without_sigpipe, write_to_nobody)
    assert signal.SIGPIPE not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
