"""What is remembered from run to run: the last device, the numbers of files.

It knows names and values; two programs may change them at the same time. Source: specification
python-api-and-cli 12.5.
"""

from __future__ import annotations

import os

from ..wholefile import write_whole
from .profiles import state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

FILE = "state.json"
LAST_DEVICE = "last_device"
NUMBERS = "numbers"


class State:
    """The user's state file; a broken one counts as empty. Raises OSError."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.path = os.path.join(
            state_folder(os.environ if environment is None else environment), FILE
        )

    @property
    def last_device(self) -> str:
        """The name of the device that was used last, "" for none."""
        found = self._read().get(LAST_DEVICE, "")
        return found if isinstance(found, str) else ""

    def used(self, device: str) -> None:
        """Remember a device."""

        def change(state: dict[str, Any]) -> None:
            state[LAST_DEVICE] = device

        self._change(change)

    def next_number(self, template: str) -> int:
        """Return the number of the next file of a name template; each is given once."""
        given = 0

        def change(state: dict[str, Any]) -> None:
            nonlocal given
            numbers = state.get(NUMBERS)
            if not isinstance(numbers, dict):
                numbers = state[NUMBERS] = {}
            last = numbers.get(template)
            given = last + 1 if isinstance(last, int) else 1
            numbers[template] = given

        self._change(change)
        return given

    def _read(self) -> dict[str, Any]:
        import json

        try:
            with open(self.path, encoding="utf-8") as file:
                found = json.load(file)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _change(self, change: Callable[[dict[str, Any]], None]) -> None:
        import fcntl
        import json

        folder = os.path.dirname(self.path)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = self._read()
            change(state)
            write_whole(self.path, json.dumps(state).encode())
        finally:
            os.close(lock)
