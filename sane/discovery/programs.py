"""Runs a program of the system for what it writes, within a time limit, unnoticed by the host.

Compiled, the program is no child of the host: there is no SIGCHLD, and a host that waits for its
children does not meet it (spawn.pyx). Uncompiled it is one, for as long as this runs. Either way it
is killed by a descriptor of its own, never by a number that may be somebody else's by then.
"""

from __future__ import annotations

import os

from ..cancel import NeverCancelled
from ..transport.sockets import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from ..cancel import Cancels

    Started: TypeAlias = tuple[int, int, int, Callable[[int, int, int], None]]

OUTPUT_BYTES = 1 << 20  # every real network fits
QUIET_SECONDS = 0.3  # hosts answer a question to all within a tenth, or in their sleep later


def output_of(
    command: Sequence[str],
    variables: Mapping[str, str],
    seconds: float,
    most: int = OUTPUT_BYTES,
    *,
    is_enough: Callable[[str], bool] | None = None,
    cancel: Cancels | None = None,
) -> str:
    """Return what *command* writes to stdout within *seconds*; it is ended then.

    is_enough(output): asked whenever nothing came for QUIET_SECONDS, ends it earlier. Silence gives
    "". Of too much, the first *most* bytes are returned; bytes that are no UTF-8 become question
    marks. stdin and stderr are /dev/null. Raises OSError if it cannot be started, Cancelled when
    *cancel* is set.
    """
    channel, pid, pidfd, end = _start(command, variables)
    data = b""
    deadline = Deadline(seconds)
    try:
        wait = (cancel or NeverCancelled()).wait
        while len(data) < most and (left := deadline.left()):
            if wait(left if is_enough is None else min(left, QUIET_SECONDS), channel):
                piece = os.read(channel, 1 << 16)
                if not piece:
                    break
                data += piece
            elif is_enough is not None and is_enough(_text(data)):
                break
    except OSError:
        return _text(data[:most])  # what it wrote until then counts
    finally:
        end(channel, pid, pidfd)
    return _text(data[:most])


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _start(command: Sequence[str], variables: Mapping[str, str]) -> Started:
    """Start *command*; return its output, process id and pidfd, and what ends it."""
    try:
        from .. import spawn
    except ImportError:  # uncompiled
        return (*_spawn_child(command, variables), _end_child)
    arguments = [os.fsencode(word) for word in command]
    environment = [os.fsencode(f"{name}={value}") for name, value in variables.items()]
    return (*spawn.spawn_output(arguments, environment), spawn.end)


def _spawn_child(command: Sequence[str], variables: Mapping[str, str]) -> tuple[int, int, int]:
    output, end = os.pipe2(os.O_CLOEXEC)
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        actions = [
            (os.POSIX_SPAWN_DUP2, source, fd)
            for source, fd in ((nowhere, 0), (end, 1), (nowhere, 2))
        ]
        pid = os.posix_spawn(
            command[0], list(command), dict(variables), file_actions=actions, setsigmask=()
        )
        return output, pid, os.pidfd_open(pid)
    except BaseException:
        os.close(output)
        raise
    finally:
        os.close(end)
        os.close(nowhere)


def _end_child(output: int, pid: int, pidfd: int) -> None:
    import _signal as signal  # type: ignore[import-not-found]  # signal itself imports enum

    os.close(output)
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
    except (ProcessLookupError, ChildProcessError):
        return  # the host collects the children of its process itself
    finally:
        os.close(pidfd)
