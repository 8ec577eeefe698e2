"""The machine that is looked at: its files, its environment, who asks, and what is known by now.

It gathers facts and judges nothing. A test gives it another root, other variables, or another
account, and the checks see that machine.
"""

from __future__ import annotations

import _thread
import os
import sys

from ...config import Environment, is_recorded
from ...discovery.programs import output_of
from .private import Private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeVar

    Fact = TypeVar("Fact")

FILE_BYTES = 1 << 20
USUAL_PATH = "/usr/local/bin:/usr/bin:/bin"
PROGRAM_SECONDS = 8.0  # java programs take two or three to say their version


class Account:
    """Who asks. groups: those of this process; listed: those that the database of users gives.

    A user who was added to a group has it in the one at once, in the other when he logs in again.
    """

    __slots__ = ("groups", "home", "listed", "name", "uid")

    def __init__(
        self,
        name: str,
        uid: int,
        groups: Sequence[int] = (),
        listed: Sequence[int] = (),
        home: str = "",
    ) -> None:
        self.name = name
        self.uid = uid
        self.groups = frozenset(groups)
        self.listed = frozenset(listed)
        self.home = home

    @classmethod
    def current(cls) -> Account:
        """Return that of this process; a uid that nobody has is listed nowhere."""
        import pwd

        uid, groups = os.geteuid(), [os.getegid(), *os.getgroups()]
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            return cls(str(uid), uid, groups, groups, os.environ.get("HOME", ""))
        listed = os.getgrouplist(entry.pw_name, entry.pw_gid)
        return cls(entry.pw_name, uid, groups, listed, os.environ.get("HOME") or entry.pw_dir)


PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


class Machine:
    """A machine whose files lie below *root*, with the environment *variables*, used by *account*.

    scans: the user allows a test read. private: what the report hides. package: the folder of our
    package. modules: where Python looks for modules, PYTHONPATH apart.
    """

    def __init__(
        self,
        root: str = "",
        variables: Mapping[str, str] | None = None,
        account: Account | None = None,
        *,
        scans: bool = False,
        private: Private | None = None,
        package: str = PACKAGE,
        modules: Sequence[str] | None = None,
    ) -> None:
        self.root = root.rstrip("/")
        self.variables = dict(os.environ if variables is None else variables)
        self.account = account or Account.current()
        self.scans = scans
        self.package = package
        self.modules = list(sys.path if modules is None else modules)
        self.private = private or Private(home=self.account.home)
        recorded = {name: text for name, text in self.variables.items() if is_recorded(name)}
        self.environment = Environment(recorded)
        self._facts: dict[str, Any] = {}
        self._locks: dict[str, _thread.LockType] = {}

    def once(self, name: str, find: Callable[[], Fact]) -> Fact:
        """Return find(), called once for all checks that ask for *name* at the same time."""
        with self._locks.setdefault(name, _thread.allocate_lock()):
            if name not in self._facts:
                self._facts[name] = find()
            found: Fact = self._facts[name]
            return found

    def turn(self, name: str) -> _thread.LockType:
        """Return what a check holds while it uses *name*, which bears one at a time."""
        return self._locks.setdefault(f"turn of {name}", _thread.allocate_lock())

    # Files

    def path(self, path: str) -> str:
        """Return where the file *path* of this machine lies."""
        return f"{self.root}{path}"

    def read(self, path: str) -> str:
        """Return the start of a text file, "" where there is none that may be read."""
        try:
            with open(self.path(path), "rb") as file:
                return file.read(FILE_BYTES).decode("utf-8", "replace")
        except OSError:
            return ""

    def names(self, path: str) -> list[str]:
        """Return what is in a folder, sorted; [] without one that may be read."""
        try:
            return sorted(os.listdir(self.path(path)))
        except OSError:
            return []

    def exists(self, path: str) -> bool:
        """Tell whether there is a file *path*, or a link to nowhere."""
        return os.path.lexists(self.path(path))

    # Programs

    def program(self, name: str) -> str:
        """Return where the program *name* is on PATH, "" if it is not there."""
        for folder in self.variables.get("PATH", USUAL_PATH).split(":"):
            path = os.path.join(folder, name)
            if os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.X_OK):
                return path
        return ""

    def output(self, *command: str, seconds: float = PROGRAM_SECONDS) -> str:
        """Return what the program at the absolute path command[0] prints; raises OSError."""
        kept = ("PATH", "HOME", "LD_LIBRARY_PATH", "PYTHONPATH", "TESSDATA_PREFIX")
        variables = {name: self.variables[name] for name in kept if name in self.variables}
        return output_of(command, {**variables, "LC_ALL": "C.UTF-8"}, seconds)

    # Commands that repair

    def may_write(self, path: str) -> bool:
        """Tell whether whoever asks needs no sudo to change the file at *path*."""
        own = self.account.uid
        return own == 0 or (own == os.geteuid() and bool(path) and os.access(path, os.W_OK))

    def as_root(self, command: str, path: str = "") -> str:
        """Return *command*, with sudo if whoever asks may not change *path*, "" only root may."""
        return command if self.may_write(path) else f"sudo {command}"

    def append(self, text: str, path: str) -> str:
        """Return the command that adds a line to the file at *path*."""
        return f"echo {quoted(text)} | {self.as_root(f'tee -a {quoted(path)}', path)}"

    def edit(self, path: str) -> str:
        """Return the command that opens the file at *path* in an editor."""
        editor = "${EDITOR:-nano}" if self.may_write(path) else "sudoedit"
        return f"{editor} {quoted(path)}"


def quoted(text: str) -> str:
    """Return *text* as one word of a shell."""
    from shlex import quote

    return quote(text)
