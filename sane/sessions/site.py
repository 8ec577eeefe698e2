"""What conversations work with: configuration, limits, log, and what clients may open.

It knows names of backends and devices and the settings of saned.conf; it knows no request and no
open device. Source: net-protocol 8.8 and 9.2.
"""

from __future__ import annotations

from ..backend import Context
from ..debug import Debug
from ..dll.config import Aliases, backend_names, split_name
from ..dll.registry import registry_for
from ..errors import Invalid
from . import ERROR
from .users import Users
from .watch import Watch, end_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..backend import DeviceInfo
    from ..config import Environment
    from .access import SanedConf
    from .listing import SharedLists

    Log = Callable[[int, str], None]
    Authorize = Callable[[str], tuple[str, str]]

FILE_BACKENDS = {"pnm"}  # their devices are files that the client names
MASKED = ("dll", "pysane")  # no backends, whatever dll.conf says


class Shares:
    """What clients may open: backends of dll.conf, less those that would reach too far.

    Source: net-protocol 8.8 and 9.2, 5.
    """

    def __init__(
        self, names: list[str], aliases: Aliases, settings: SanedConf, allow_network: bool
    ) -> None:
        self._names = names
        self._aliases = aliases
        self._settings = settings
        self._net = allow_network or settings.share_net

    @classmethod
    def load(
        cls, environment: Environment, debug: Debug, settings: SanedConf, allow_network: bool
    ) -> Shares:
        """Read dll.conf, dll.d and dll.aliases."""
        names = backend_names(environment, debug)
        return cls(names, Aliases.load(environment, debug), settings, allow_network)

    def backend_of(self, name: str) -> str:
        """Return the backend that opening *name* reaches; raises Invalid if clients may not."""
        backend = split_name(self._aliases.resolve(name))[0]
        reason = self.refusal(backend)
        if reason:
            raise Invalid(f"{name!r}: {reason}")
        return backend

    def check_reach(self, name: str, reaches: Callable[[str], str]) -> None:
        """Raise Invalid if a client's *name* would have this machine connect to another.

        reaches: Registry.reaches. An alias is a line of the administrator's.
        """
        if self._net or self._aliases.resolve(name) != name:
            return
        host = reaches(name)
        if host:
            raise Invalid(f"{name!r}: leads to {host}, which no configuration names (share_net)")

    def refusal(self, backend: str) -> str:
        """Return why clients may not use *backend*, "" if they may."""
        if not backend:
            return "the name has no backend"
        if backend in MASKED:
            return f"{backend} is no backend"
        if backend not in self._names and not self._settings.open_unlisted:
            return f"backend {backend} is not enabled in dll.conf (open_unlisted)"
        if backend == "net" and not self._net:
            return "scanners of other servers are not shared (share_net, --allow-network)"
        if backend in FILE_BACKENDS and not self._settings.share_files:
            return f"backend {backend} reads files of this machine (share_files)"
        return ""

    def is_shared(self, device: DeviceInfo) -> bool:
        """Tell whether a listed device may be opened by clients."""
        return not self.refusal(split_name(self._aliases.resolve(device.name))[0])


class Site:
    """What sessions work with. registry(authorize) makes a new one; log takes level and text.

    allow_network: devices of other servers are listed, and may be opened whatever share_net says.
    lists: what the sessions of other processes have in common with this one, if there are any.
    users: who may use which backends; None for what saned.users says at each open.
    """

    def __init__(
        self,
        environment: Environment,
        settings: SanedConf,
        record_bytes: int,
        log: Log,
        *,
        allow_network: bool = False,
        lists: SharedLists | None = None,
        users: Users | None = None,
    ) -> None:
        self.allow_network = allow_network
        self.lists = lists
        self._users = users
        self.environment = environment
        self.settings = settings
        self.record_bytes = record_bytes
        self.log = log

    def registry(self, authorize: Authorize) -> Any:
        """Return a registry of all configured backends, which asks clients for passwords."""
        return registry_for("", Context(self.environment, authorize))

    def shares(self) -> Shares:
        """Return what clients may open."""
        debug = Debug("saned", self.environment)
        return Shares.load(self.environment, debug, self.settings, self.allow_network)

    def watch(self, fd: int, interrupt: Callable[[], None], rests: Callable[[], bool]) -> Watch:
        """Return what notices that the client on *fd* has vanished, and ends the process."""
        return Watch(fd, interrupt, rests, self._give_up)

    def _give_up(self) -> None:
        self.log(ERROR, "a driver does not come back: its client's process ends without it")
        end_process()

    def users(self) -> Users:
        """Return who may use which backends; raises AccessDenied if that cannot be known."""
        return Users.read(self.environment) if self._users is None else self._users
