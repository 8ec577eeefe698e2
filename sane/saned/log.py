"""saned's log: syslog, or stderr with -e, up to the level that -d gives.

Source: net-protocol 8.4. The priority follows the level, so that a filter can tell an error from
the clients of the day.
"""

from __future__ import annotations

import os
import syslog

from ..sessions import DEBUG

_PRIORITIES = (
    *(syslog.LOG_ERR, syslog.LOG_NOTICE, syslog.LOG_INFO, syslog.LOG_INFO),
    syslog.LOG_DEBUG,
)
_STDERR = 2
_MOST_CHARACTERS = 1000


class Log:
    """Writes one line for each call; never raises."""

    def __init__(self, level: int, to_stderr: bool) -> None:
        self.level = level
        self.to_stderr = to_stderr
        if not to_stderr:
            syslog.openlog("saned", syslog.LOG_PID | syslog.LOG_CONS, syslog.LOG_DAEMON)

    def __call__(self, level: int, text: str) -> None:
        """Write *text* if *level* is on."""
        if level > self.level:
            return
        line = printable(text)
        if not self.to_stderr:
            syslog.syslog(_PRIORITIES[min(level, DEBUG) - 1], line)
            return
        try:
            os.write(_STDERR, f"[saned] {line}\n".encode())
        except OSError:
            return  # nobody reads it any more


def printable(text: str) -> str:
    """Return *text* without what could forge a line or disturb a terminal: clients send it."""
    shown = text[:_MOST_CHARACTERS]
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown)
