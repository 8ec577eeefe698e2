"""One attempt to send a file, whatever the kind of its destination.

What a destination said is kept in a file beside it, so that a second attempt asks for what the
first one began, and does not send twice where the other side lets us know.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from importlib import import_module

from ..store.files import read_record, write_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MEMORY = "memory.json"
ERROR_CHARS = 300
TURN_SECONDS = 30.0


class Refused(Exception):
    """The destination will not take it, however often it is tried."""


class Later(Exception):
    """It did not work now."""


class Sending:
    """What is sent, and what is remembered of former attempts (*memory*).

    file: its path. name: what it is to be called. type: a key of store.names.TYPES.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        self.settings: dict[str, Any] = request["settings"]
        self.file: str = request["file"]
        self.name: str = request["name"]
        self.type: str = request["type"]
        self.delivery: str = request["delivery"]
        self.document: str = request["document"]
        self.title: str = request["title"]
        self.created: str = request["created"]
        self.pages: int = request["pages"]
        self._path = os.path.join(request["folder"], MEMORY)
        try:
            self.memory = read_record(self._path)
        except (FileNotFoundError, ValueError):
            self.memory = {}

    def remember(self, **values: object) -> None:
        """Keep something for the next attempt."""
        self.memory.update(values)
        write_record(self._path, self.memory)

    def secret(self, name: str) -> str:
        """Return a secret of the settings, or of the file that they name; "" for none."""
        path = self.settings.get(f"{name}_file")
        if not path:
            return str(self.settings.get(name, ""))
        try:
            with open(path, encoding="utf-8") as file:
                return file.read(4096).strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise Refused(f"cannot read {name}_file {path}: {exc}") from exc


def main() -> int:
    """Do what the input says."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    try:
        answer: dict[str, object] = {"done": send(request)}
    except Refused as exc:
        answer = {"error": str(exc)[:ERROR_CHARS], "refused": True}
    except Later as exc:
        answer = {"error": str(exc)[:ERROR_CHARS], "refused": False}
    except OSError as exc:
        answer = {"error": (exc.strerror or str(exc))[:ERROR_CHARS], "refused": False}
    out.write(json.dumps(answer))
    out.close()
    return 0


def send(request: dict[str, Any]) -> str:
    """Send once; return what the destination says. Raises Refused, Later and OSError."""
    lock = os.open(request["folder"], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _take_turn(lock)
        sending = Sending(request)
        if "done" not in sending.memory:
            kind = import_module(f".{request['kind']}", __package__)
            sending.remember(done=kind.send(sending))
        return str(sending.memory["done"])
    finally:
        os.close(lock)


def _take_turn(lock: int) -> None:
    """Wait until the attempt of a server that was killed has ended; raises Later."""
    until = time.monotonic() + TURN_SECONDS
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise Later("a former attempt has not ended yet") from None
        time.sleep(0.1)
