"""The backend net: devices of other machines that run saned.

It knows which hosts there are and what a device name means; what is behind a host is the business
of servers.py, and of device.py once it is open. Hosts are contacted at the first use, all at once.
Source: net-protocol 7.
"""

from __future__ import annotations

from ..backend import Backend as _Backend
from ..cancel import NeverCancelled
from ..errors import DeviceIOError, Invalid, Unsupported
from ..transport.sockets import Deadline
from .hosts import Host, NetConf, discovered, load, split_device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..backend import Context, DeviceInfo
    from ..cancel import Cancels
    from .device import NetDevice
    from .servers import Servers

    Task = Callable[[Cancels], None]


# The dll waits 10 s for a list (list-timeout): hosts without an answer must not hide the others.
LIST_SECONDS = 9.0  # a host that is alone may use all of this
HOSTS_SECONDS = 6.0  # several, or one beside those that are discovered
DISCOVERED_SECONDS = 2.0  # to connect to them: they have just announced themselves
DISCOVERED = 64  # servers: no office has more, and whoever announces thousands plays with us


class Backend(_Backend):
    """Devices "host:device" of the hosts in net.conf and SANE_NET_HOSTS, and of any host."""

    version = (1, 2, 1)

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self.settings = NetConf()
        self._discovered: list[Host] = []
        self._servers: Servers | None = None

    def init(self) -> None:
        self.settings = load(self.context.environment, self.read_config(), self.debug)

    @property
    def servers(self) -> Servers:
        """The connections; without a host none of that is loaded."""
        if self._servers is None:
            from .servers import Servers

            self._servers = Servers(self.settings, self.debug)
        return self._servers

    # Listing

    def list_devices(self, local_only: bool) -> Sequence[DeviceInfo]:
        if local_only:
            return []
        hosts = list(self.settings.hosts)
        if not hosts and not self.settings.discovery:
            return []
        servers = self.servers
        found: dict[str, Sequence[DeviceInfo]] = {}

        def asking(host: Host, *seconds: float) -> Task:
            return lambda _cancel: found.update({host.name: servers.devices_of(host, *seconds)})

        deadline = Deadline(LIST_SECONDS)
        is_alone = len(hosts) == 1 and not self.settings.discovery
        seconds = LIST_SECONDS if is_alone else HOSTS_SECONDS
        tasks = [asking(host, seconds) for host in hosts]
        if self.settings.discovery:
            tasks.append(self._discover)
        _ask(tasks, seconds)
        seconds = max(DISCOVERED_SECONDS, deadline.left() or 0.0)
        late = [asking(host, seconds, DISCOVERED_SECONDS) for host in self._discovered]
        _ask(late, seconds)
        hosts += self._discovered
        for host in hosts:
            if host.name not in found:
                self.debug(1, "%s: skipped: no answer in time for a list", host.name)
        return [device for host in hosts for device in found.get(host.name, ())]

    def _discover(self, _cancel: object = None) -> None:
        """Ask the network for servers that are not configured."""
        from ..discovery.dnssd import services
        from ..wire import DNSSD_TYPE

        found = [
            host
            for host in discovered(services(DNSSD_TYPE, self.debug))
            if self.settings.find(host.name) is None
        ]
        self.debug(3, "discovered: %s", [host.name for host in found])
        if len(found) > DISCOVERED:
            self.debug(1, "%d servers announced: only %d are asked", len(found), DISCOVERED)
        self._discovered = found[:DISCOVERED]

    def find(self, name: str) -> Host | None:
        """Return the host of this name, configured or discovered."""
        known = (host for host in self._discovered if host.name == name)
        return self.settings.find(name) or next(known, None)

    # Opening

    def open(self, name: str) -> NetDevice:
        """Open "host:device", "[address]:device", or a name without a colon.

        Such a name is a configured host, whose first device is meant; else a device of the
        default host, the last configured one; else a host that is not configured.
        """
        host_name, device = split_device(name)
        host = self.find(host_name)
        if device is None and host is None and self.settings.hosts:
            found = self._open_at_default(name)
            if found is not None:
                return found
        if not host_name:
            raise Invalid("no device name, and no host is configured")
        if host is None and self.settings.discovery and not self._discovered:
            self._discover()
            host = self.find(host_name)
        return self._open_at(host or Host(host_name), device or "")

    def _open_at_default(self, name: str) -> NetDevice | None:
        """Open *name* at the default host; None if that has no such device."""
        host = self.settings.hosts[0]
        try:
            return self._open_at(host, name)
        except (Invalid, Unsupported, DeviceIOError) as exc:
            if not name:
                raise
            self.debug(2, "%s is no device of %s: %s", name, host.name, exc)
            return None

    def _open_at(self, host: Host, device: str) -> NetDevice:
        return self.servers.open(host, device, self.context.authorize)

    def exit(self) -> None:
        if self._servers is not None:
            self._servers.close()
            self._servers = None


def _ask(tasks: Sequence[Task], seconds: float) -> None:
    """Do *tasks*, which have limits of their own, at once; a single one needs no thread."""
    if len(tasks) == 1:
        tasks[0](NeverCancelled())
        return
    from ..discovery.search import side_by_side

    side_by_side(tasks, seconds)
