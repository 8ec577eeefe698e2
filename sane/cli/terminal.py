"""Waiting for what a person types, so that no signal is noticed late.

It knows stdin and when Python looks for signals; not what was asked, nor what a signal means.
"""

from __future__ import annotations

import sys


def await_line() -> None:
    """Return when a line can be read from stdin; at once if that is no terminal.

    A signal at whatever moment ends the wait. A plain read sleeps on if one came just before.
    """
    try:
        if sys.stdin is None or not sys.stdin.isatty():
            return
    except ValueError:  # it was closed
        return
    import os
    import signal

    heard, told = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        try:
            before = signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        except ValueError:  # signals interrupt the main thread only, and this is another one
            return
        try:
            _sleep(heard)
        finally:
            signal.set_wakeup_fd(before)
    finally:
        os.close(heard)
        os.close(told)


def _sleep(heard: int) -> None:
    """Wait for stdin or *heard*.

    Python looks for signals where a function of its own begins: here, for those that came before
    *heard* would be told of them. From Python 3.12 on it does not look after each call.
    """
    import select

    select.select([sys.stdin, heard], [], [])
