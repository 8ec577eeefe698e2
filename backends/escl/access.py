"""Who a scanner has to be, and who we are: keys that were seen, and passwords.

Source: specification escl 6.2 and 6.5.
"""

from __future__ import annotations

import os

from ...errors import AccessDenied
from ...transport.failures import Untrusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...config import Environment
    from ...debug import Debug

FOLDER, FILE = ".local/state/pysane", "escl-keys"
MOST_BYTES = 1 << 20
MOST_SCANNERS = 4096
KEY_DIGITS = 64
WARN, PIN, SYSTEM = "warn", "pin", "system"  # policies; "off" needs nothing
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Keys:
    """The file of keys: a line for each scanner, who it is and the key that it had first."""

    def __init__(self, path: str, debug: Debug) -> None:
        self.path = path
        self._debug = debug

    @classmethod
    def of(cls, environment: Environment, debug: Debug) -> Keys:
        """Return the user's; without a home it cannot be written."""
        home = environment.get("HOME") or ""
        return cls(os.path.join(home, FOLDER, FILE) if os.path.isabs(home) else "", debug)

    def known(self, scanner: str) -> str:
        """Return the key of *scanner*, "" if none was seen."""
        return self._load().get(scanner, "")

    def _load(self) -> dict[str, str]:
        try:
            fd = os.open(self.path, _READ)
        except OSError:
            return {}
        with open(fd, "rb", buffering=0) as file:
            data = file.read(MOST_BYTES) or b""
        found: dict[str, str] = {}
        for line in data.decode("utf-8", "surrogateescape").splitlines():
            scanner, _, key = line.rpartition(" ")
            if scanner and len(key) == KEY_DIGITS:
                found.setdefault(scanner, key)
        return found

    def note(self, scanner: str, key: str) -> None:
        """Keep the *key* of *scanner*; raises OSError where that cannot be."""
        from ...wholefile import write_whole

        if not self.path:
            raise FileNotFoundError("there is no home folder")
        found = self._load()
        if len(found) >= MOST_SCANNERS:
            raise OSError(f"more than {MOST_SCANNERS} scanners")
        found[scanner] = key
        data = "".join(f"{name} {value}\n" for name, value in found.items())
        os.makedirs(os.path.dirname(self.path), 0o700, exist_ok=True)
        write_whole(self.path, data.encode("utf-8", "surrogateescape"))

    def check(self, scanner: str, key: str, policy: str) -> None:
        """Compare the *key* that *scanner* has with the one that it had; keep it if it is new.

        Raises Untrusted where *policy* is to pin, and the key is another one or cannot be kept.
        """
        if policy not in (WARN, PIN) or not key:
            return
        known = self.known(scanner)
        if known == key:
            return
        if known:
            text = f"{scanner}: its key is not the one in {self.path}"
            if policy == PIN:
                raise Untrusted(f"{text}: remove its line if the scanner was reset")
            self._debug(1, "%s", text)
            return
        try:
            self.note(scanner, key)
        except OSError as exc:
            if policy == PIN:
                raise Untrusted(f"{scanner}: its key cannot be kept in {self.path}: {exc}") from exc
            self._debug(2, "%s: the key of %s is not kept: %s", self.path, scanner, exc)


class PasswordWanted(AccessDenied):
    """A job needs the password for *realm*, which has to be asked for in another thread."""

    def __init__(self, realm: str) -> None:
        super().__init__(f"the scanner wants a password for {realm!r}")
        self.realm = realm


class Passwords:
    """User and password for each realm of *scanner*: configured, or asked for once.

    authorize(resource) asks the frontend, and is called by its own thread only.
    """

    def __init__(
        self,
        scanner: str,
        authorize: Callable[[str], tuple[str, str]],
        configured: tuple[str, str] | None = None,
    ) -> None:
        self._scanner = scanner
        self._authorize = authorize
        self._configured = configured
        self._known: dict[str, tuple[str, str]] = {}

    def known(self, realm: str) -> tuple[str, str]:
        """Return what is known for *realm*; raises PasswordWanted if it has to be asked for."""
        found = self._configured or self._known.get(realm)
        if found is None:
            raise PasswordWanted(realm)
        return found

    def asked(self, realm: str) -> tuple[str, str]:
        """Return the same, asking the frontend for it if need be."""
        if self._configured is not None:
            return self._configured
        self._known[realm] = self._authorize(f"escl:{self._scanner}:{realm}")
        return self._known[realm]
