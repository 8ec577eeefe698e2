"""User names and passwords: from ~/.sane/pass, else from the terminal.

It knows the file and the prompts; who asks is the registry's business. Source:
python-api-and-cli 11.7.
"""

from __future__ import annotations

import os
import stat
import sys

from ...errors import AccessDenied
from ..terminal import await_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .messages import Messages

MD5 = "$MD5$"  # in a resource: the password is only sent as a digest
FILE = ".sane/pass"


class Passwords:
    """Answers who asks for a password. md5_only: not if it would be sent as it is."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self.md5_only = False

    def __call__(self, resource: str) -> tuple[str, str]:
        """Return user name and password for *resource*; raises AccessDenied."""
        name, marker, _ = resource.partition(MD5)
        if self.md5_only and not marker:
            raise AccessDenied(f"{name}: the password would be sent as it is, which is not wanted")
        found = self._from_file(name)
        if found is not None:
            return found
        self._messages.raw(f"Authentication required for resource {name}. Enter username: ")
        user = _line()
        self._messages.raw("Enter password: ")
        return user, self._hidden_line()

    def _from_file(self, resource: str) -> tuple[str, str] | None:
        """Return what ~/.sane/pass has for *resource*; one that others may read is not used."""
        path = os.path.join(os.path.expanduser("~"), FILE)
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                    self._messages.raw(f"{path} has wrong permissions (use at least 0600)\n")
                    return None
                lines = file.read().splitlines()
        except OSError:
            return None
        for line in lines:
            user, _, rest = line.partition(":")
            password, separator, wanted = rest.partition(":")
            if separator and wanted == resource:
                return user, password
        return None

    def _hidden_line(self) -> str:
        """Read a line that the terminal does not show."""
        import termios

        try:
            shown = termios.tcgetattr(0)
        except termios.error:  # no terminal
            return _line()
        hidden = list(shown)
        hidden[3] &= ~termios.ECHO
        termios.tcsetattr(0, termios.TCSAFLUSH, hidden)
        try:
            return _line()
        finally:
            termios.tcsetattr(0, termios.TCSAFLUSH, shown)
            self._messages.raw("\n")


def _line() -> str:
    await_line()
    line = sys.stdin.buffer.readline() if sys.stdin is not None else b""
    return line.decode("utf-8", "surrogateescape").rstrip("\n")
