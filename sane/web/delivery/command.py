"""A command as a destination: the shell runs it with the file as its argument.

Facts are in its environment, never in its text, whatever a title says. Whether it runs a second
time after a kill is up to it: PYSANE_DELIVERY is the same then.
"""

from __future__ import annotations

import os
import subprocess

from .sending import Later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .sending import Sending

SHOWN_CHARS = 200


def send(sending: Sending) -> str:
    """Run the command; return the last line that it prints."""
    facts = {
        "PYSANE_FILE": sending.file,
        "PYSANE_NAME": sending.name,
        "PYSANE_TITLE": sending.title,
        "PYSANE_PAGES": str(sending.pages),
        "PYSANE_DOCUMENT": sending.document,
        "PYSANE_DELIVERY": sending.delivery,
    }
    # PYTHONPATH is this process's: a command that is a Python program has its own.
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    command = sending.settings["command"]
    done = subprocess.run(
        ["sh", "-c", f'{command} "$@"', "pysane", sending.file],
        env={**environment, **facts},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    out = (done.stdout or done.stderr)[-4096:].decode("utf-8", "replace").strip()
    said = out.splitlines()[-1][:SHOWN_CHARS] if out else ""
    if done.returncode:
        raise Later(f"{command} ended with status {done.returncode}: {said}".rstrip(": "))
    return said
