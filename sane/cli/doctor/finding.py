"""What one check has found: how bad it is, a sentence, and the command that repairs it.

It knows neither how facts are gathered nor how a report is printed.
"""

from __future__ import annotations

from ...listed import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

OK, WARNING, FAULT, UNKNOWN = "ok", "warning", "fault", "unknown"
LEVELS = (FAULT, WARNING, UNKNOWN, OK)  # the worst first

SUDO = "sudo"


class Finding:
    """One result of a check.

    level: one of LEVELS. text: a sentence, which says what happened and to which device. device:
    the name of that device, "" for none. command: for a shell; what it repairs needs root if it
    begins with sudo. id: "" for that of the check. is_idle: there was nothing to check. files:
    texts that --fix writes, by the path of a file in the user's home; *after* is then the command
    that is left to run.
    """

    __slots__ = ("after", "command", "device", "files", "id", "is_idle", "level", "text")

    def __init__(
        self,
        level: str,
        text: str,
        command: str = "",
        *,
        id: str = "",
        files: Mapping[str, str] | None = None,
        after: str = "",
        is_idle: bool = False,
    ) -> None:
        self.level = level
        self.text = one_line(text)
        self.command = one_line(command)
        self.device = ""
        self.id = id
        self.files = dict(files or {})
        self.after = after
        self.is_idle = is_idle

    def about(self, device: str) -> Finding:
        """Return this finding, which is about *device*."""
        self.device = device
        return self

    @property
    def needs_root(self) -> bool:
        """Whether the command does."""
        return self.command.split(" ", 1)[0] in (SUDO, "sudoedit") or f"| {SUDO} " in self.command

    def __repr__(self) -> str:
        return f"Finding({self.level!r}, {self.text!r}, {self.command!r}, id={self.id!r})"


def one_line(text: str) -> str:
    """Return *text* without control characters and with one full stop at its end at most.

    Devices, hosts and programs tell parts of it, and a terminal would obey what they send.
    """
    text = printable(" ".join(text.split("\n")))
    return text[:-1] if text.endswith("..") else text
