"""The name that Avahi gives this machine: another than the kernel's, where that is taken.

Its configuration may have another one, too. Source: Avahi's introspection file
org.freedesktop.Avahi.Server; busctl(1), "call".
"""

from __future__ import annotations

import os

from .announce import find_program
from .programs import output_of

PROGRAM = "busctl"
NAME = "org.freedesktop.Avahi"
CALL = ("call", NAME, "/", f"{NAME}.Server", "GetHostNameFqdn")
SECONDS = 2.0  # the daemon answers at once, unless it hangs


def announced_host() -> str:
    """Return the machine's name with its domain as Avahi announces it, "" without an answer."""
    program = find_program(PROGRAM)
    if not program:
        return ""
    command = (program, "--system", "--auto-start=no", *CALL)
    kind, _, text = output_of(command, os.environ, SECONDS).strip().partition(" ")
    return text.strip('"') if kind == "s" else ""
