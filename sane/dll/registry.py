"""The registry: backends are loaded, asked for devices, opened and ended here.

It knows backends by name and the rules of dll.conf and of device names; it knows neither C nor
the states of a scan. One registry belongs to one library from sane_init to sane_exit.
Source: c-abi-and-dll 4.
"""

from __future__ import annotations

import _thread

from ..backend import Context, Device, DeviceInfo, debug_level, describe
from ..debug import Debug
from ..errors import BY_STATUS, Invalid, Misbehaved, SaneError, Unsupported, status_of
from ..handle import Handle
from ..listed import is_printable
from ..sigpipe import without_sigpipe
from . import deadline
from .config import Aliases, backend_names, split_name, successor
from .finder import EntryPoints, find, find_backend, is_in_python, offered
from .libraries import libraries
from .pysane_conf import PysaneConf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from typing import Any

    from ..backend import Backend
    from ..cancel import Cancel
    from .listing import Listing

MOST_DEVICES = 10_000  # of one backend: what lists more is in an endless loop
OPEN_SECONDS = 30.0  # a constructor may warm up a lamp; PYSANE_OPEN_TIMEOUT overrides


def _call(backend: Backend, function: Callable[..., Any], *arguments: object) -> Any:
    """Return function(*arguments) of *backend*: a driver in Python raises no SIGPIPE."""
    if backend.is_c_backend:
        return function(*arguments)
    return without_sigpipe(function, *arguments)


class Loader:
    """Loads and initialises backends, each at its first use; failures are tried again.

    natives: where a C backend is wanted (finder.find), None to use none at all.
    """

    natives: frozenset[str] | None = None

    def __init__(self, context: Context) -> None:
        self._backends: dict[str, Backend] = {}
        self._c_backends: dict[str, Backend] = {}  # C backends in memory, initialised or not
        self._asleep: dict[str, Backend] = {}  # survivors of sane_exit
        self._missing: dict[str, str] = {}  # why they could not be loaded
        self.failures: dict[str, SaneError] = {}  # why a backend's last list is not whole
        self._entry_points = EntryPoints()
        self._locks: dict[str, _thread.LockType] = {}  # one thread at a time in a backend's init
        self.set_context(context)

    def set_context(self, context: Context) -> None:
        """Take over what sane_init recorded."""
        authorize = context.authorize
        self.context = Context(
            context.environment,
            lambda resource: deadline.relay(authorize, resource),
            context.callback,
        )
        self.debug = Debug("dll", context.environment)
        self.open_seconds = open_seconds(context, self.debug)

    def backend(self, name: str) -> Backend:
        """Return the initialised backend *name*; raises Invalid if there is none."""
        with self._locks.setdefault(name, _thread.allocate_lock()):
            found = self._backends.get(name)
            if found is None:
                self.debug(3, "init of backend %s", name)
                found = self._asleep.get(name)
                if found is None:
                    found = self._c_backends.get(name) or self.load(name)
                else:
                    found.set_context(self.context)
                _call(found, found.init)
                self._backends[name] = found
            return found

    def load(self, name: str) -> Backend:
        """Return the new backend *name*; raises Unsupported once that has failed (4.5)."""
        if name in self._missing:
            raise Unsupported(f"backend {name} was not found before: {self._missing[name]}")
        environment = self.context.environment
        make: Callable[[str, Context], Backend]
        try:
            if self.natives is None:
                make = self.find(name)
            else:
                make = find(name, environment, self.debug, self._entry_points, self.natives)
        except BaseException as exc:
            self._missing[name] = str(exc)
            raise
        backend = make(name, self.context)
        if backend.is_c_backend:
            self._c_backends[name] = backend
        return backend

    def find(self, name: str) -> type[Backend]:
        """Return the class of the Python backend *name*; raises Invalid if there is none."""
        return find_backend(name, self.context.environment, self.debug, self._entry_points)

    def exists(self, name: str) -> bool:
        """Tell whether there is a backend *name* that can be used."""
        try:
            self.backend(name)
        except SaneError:
            return False
        return True

    def is_loaded(self, name: str) -> bool:
        """Tell whether *name* is a backend that exists and is in use."""
        return name in self._backends

    def is_c_backend(self, name: str) -> bool:
        """Tell whether *name* is a C backend that is in use in this process."""
        return name in self._backends and self._backends[name].is_c_backend

    def c_libraries(self, name: str) -> list[str]:
        """Return the files that may be the C backend *name*; [] if it is none (see finder.find)."""
        if self.natives is None:
            return []
        paths = libraries(name, self.context.environment)
        if not paths or name in self.natives or "*" in self.natives:
            return paths
        in_python = is_in_python(name, self.context.environment, self._entry_points)
        return [] if in_python else paths

    def list_devices(self, name: str, local_only: bool) -> list[DeviceInfo]:
        """Return the devices of backend *name*; one that fails has none, and is named."""
        try:
            backend = self.backend(name)
            listed: dict[str, DeviceInfo] = {}
            for device in _call(backend, backend.list_devices, local_only):
                if len(listed) == MOST_DEVICES:
                    self.debug(0, "%s: list_devices: more than %d", name, MOST_DEVICES)
                    break
                if (
                    self._is_valid(name, device)
                    and listed.setdefault(device.name, device) != device
                ):
                    self.debug(0, "%s: list_devices: %r is listed twice", name, device.name)
            self.failures.pop(name, None)
            return list(listed.values())
        except BaseException as exc:
            _pass_signal(exc)
            self.report(name, "list_devices", exc)
            own = exc if isinstance(exc, SaneError) else BY_STATUS[status_of(exc)](str(exc))
            self.failures[name] = own
            return []

    def _is_valid(self, name: str, device: DeviceInfo) -> bool:
        if not isinstance(device, DeviceInfo):
            self.debug(0, "%s: list_devices: %r is not a DeviceInfo", name, device)
            return False
        texts = (device.name, device.vendor, device.model, device.type)
        if not all(isinstance(text, str) and text and is_printable(text) for text in texts):
            self.debug(0, "%s: list_devices: %r has an empty or unprintable text", name, device)
            return False
        if not all(isinstance(text, str) for text in device.identity()):
            self.debug(0, "%s: list_devices: %r: who it is, is not told in texts", name, device)
            return False
        return True

    def open(self, name: str, device_name: str, cancel: Cancel | None) -> Handle:
        """Open *device_name* of backend *name*, within a deadline if it is in Python.

        With *cancel* the caller is a C program: it gets a C backend's device as it is.
        """
        try:
            backend = self.backend(name)
            if backend.is_c_backend:
                return self._open_c_backend(backend, device_name, cancel is not None)
            device = deadline.call(
                lambda: backend.open_device(device_name),
                self.open_seconds,
                f"backend {name}: open",
                lambda late: late.close(),
            )
            if not isinstance(device, Device):
                raise Misbehaved(f"backend {name}: open returned {device!r}, not a Device")
            device.debug = backend.debug
            try:
                return Handle(device, cancel)
            except BaseException:
                device.close()
                raise
        except SaneError as exc:
            self.report(name, "open", exc)
            raise
        except BaseException as exc:
            _pass_signal(exc)
            self.report(name, "open", exc)
            raise BY_STATUS[status_of(exc)](f"backend {name}: {exc}") from exc

    def _open_c_backend(self, backend: Any, device_name: str, for_c: bool) -> Handle:
        """Open a device of a C backend: on this thread, where it may ask for a password."""
        from .c_backend import handle_of

        device: Any = backend.open(device_name)
        return device if for_c else handle_of(device, backend.turns, self.debug)

    def report(self, name: str, call: str, exc: BaseException) -> None:
        """Write one line: always for a mistake in a backend, from level 1 on for a status."""
        self.debug(debug_level(exc), "backend %s: %s", name, describe(call, exc))

    def exit(self, order: Iterable[str] = (), busy: Collection[str] = ()) -> bool:
        """End all backends, those named in *order* first; tell whether one wants to survive.

        C backends are unloaded even if they were never initialised. busy: backends that have not
        returned from a call: they are left as they are.
        """
        self.debug(2, "exit")
        backends = {**self._c_backends, **self._backends}
        self._c_backends, self._backends = {}, {}
        for name in [name for name in order if name in backends] + list(backends):
            backend = backends.pop(name, None)
            if backend is None:
                continue
            if name in busy:
                self.debug(1, "backend %s is not ended: it has not returned from a call", name)
                continue
            try:
                _call(backend, backend.exit)
            except BaseException as exc:
                self.report(name, "exit", exc)
            if backend.survives_exit:
                self._asleep[name] = backend
        return bool(self._asleep)


def _pass_signal(exc: BaseException) -> None:
    """Raise *exc* again if it is no backend's: if a signal handler of the program has raised it."""
    from ..interrupts import is_of_signal

    if not isinstance(exc, SaneError) and is_of_signal(exc):
        raise exc


def open_seconds(context: Context, debug: Debug) -> float:
    """Return the deadline for opening a device."""
    text = context.environment.get("PYSANE_OPEN_TIMEOUT")
    try:
        seconds = float(text) if text else OPEN_SECONDS
        if not 0 < seconds < 1e6:
            raise ValueError
        return seconds
    except ValueError:
        debug(0, "PYSANE_OPEN_TIMEOUT=%s is not a number of seconds", text)
        return OPEN_SECONDS


class Registry:
    """Several backends under one roof: device names are ``backend:device``.

    names: the backends in the order in which they are asked.
    """

    def __init__(
        self, loader: Loader, names: Sequence[str], aliases: Aliases, settings: PysaneConf
    ) -> None:
        self._loader = loader
        self._names = list(names)
        self._aliases = aliases
        self._settings = settings
        self._listing: Listing | None = None  # a program that only opens a device needs none
        self._lock = _thread.allocate_lock()  # guards the making of it

    def get_devices(
        self,
        local_only: bool = False,
        *,
        only: str | None = None,
        seconds: float | None = None,
        is_new: bool = False,
    ) -> list[DeviceInfo]:
        """Return all devices, full names, in the order of the configuration (4.7).

        only: the one backend to ask. seconds: what the whole list may take, in place of each
        backend's own limit. is_new: a kept list will not do.
        """
        names = list(self._names) if only is None else [only]
        settings = self._settings.within(seconds, is_new=is_new)
        lists = self._made_listing().lists(names, local_only, settings)
        found = []
        for name in names:
            for device in lists.get(name, ()):
                full = f"{name}:{device.name}"
                listed = self._aliases.listed_name(full)
                if listed is not None:
                    found.append((full, device.renamed(listed)))
        devices = [device for _, device in found]
        listing = [name for name in names if lists.get(name)]
        if self._settings.merges and (len(listing) > 1 or listing == ["net"]):
            from .merge import merge

            devices = merge(found, self._settings.preferred)
        self._loader.debug(3, "get_devices: %d devices", len(devices))
        return devices

    def _made_listing(self) -> Listing:
        with self._lock:
            if self._listing is None:
                from .listing import Listing

                self._listing = Listing(self._loader)
            return self._listing

    def problems(self, only: str | None = None) -> list[tuple[str, SaneError]]:
        """Return the backends whose last list is not whole, and why; only: of this one."""
        names = list(self._names) if only is None else [only]
        failures = dict(self._loader.failures)
        return [(name, failures[name]) for name in names if name in failures]

    def listed(self, name: str) -> DeviceInfo | None:
        """Return the device that open(*name*) would take, without asking the network or C code.

        None if its backend does not list it, or takes longer than it may.
        """
        backend, device = self._split(name)
        if not backend:
            backend = self._names[0] if self._names else "dll"
        if backend in ("dll", "pysane") or self._loader.backend(backend).is_c_backend:
            return None
        try:
            found = deadline.call(
                lambda: self._loader.list_devices(backend, True),
                self._loader.open_seconds,
                f"backend {backend}: list_devices",
                lambda late: None,
            )
        except Misbehaved as exc:
            self._loader.report(backend, "list_devices", exc)
            return None
        for info in found:
            if not device or info.name == device:
                return info.renamed(f"{backend}:{info.name}")  # type: ignore[no-any-return]
        return None

    def open(self, name: str | None, cancel: Cancel | None = None) -> Handle:
        """Open a device by its full name or alias; "" is the first backend's first (4.8)."""
        if name is None:
            raise Invalid("open: no device name")
        self._loader.debug(3, "open: %s", name)
        backend, device = self._split(name)
        if not backend:
            if not self._names:
                raise Invalid("open: no backend is configured")
            backend = self._names[0]
        elif backend in ("dll", "pysane"):
            raise Invalid(f"open: {backend} is no backend")
        if self._listing is not None:
            self._listing.stop()
        try:
            return self._loader.open(backend, device, cancel)
        finally:
            if self._loader.is_loaded(backend) and backend not in self._names:
                self._names.insert(0, backend)  # asked for by name, it belongs to us (4.8)

    def reaches(self, name: str) -> str:
        """Return the host that opening *name* would contact only because the name says so."""
        backend, device = self._split(name)
        return self._loader.backend(backend).reaches(device)

    def _split(self, name: str) -> tuple[str, str]:
        """Return backend and device that *name* means, ours where a C backend is not installed."""
        backend, device = split_name(self._aliases.resolve(name))
        other = successor(backend, device)
        return other if other and not self._loader.exists(backend) else backend, device

    def exit(self) -> bool:
        """End all backends; handles are closed already. Return False: the registry has ended."""
        busy: Collection[str] = ()
        if self._listing is not None:
            self._listing.stop()
            busy = self._listing.busy()
        self._loader.exit(self._names, busy)
        return False


class Single:
    """One backend as a library of its own: its device names have no prefix."""

    def __init__(self, loader: Loader, name: str, initialised: bool) -> None:
        self._loader = loader
        self._name = name
        self._initialised = initialised

    def _backend(self) -> Backend:
        if not self._initialised and self._loader.find(self._name).requires_init:
            raise Invalid(f"{self._name}: called before sane_init")
        return self._loader.backend(self._name)

    def get_devices(self, local_only: bool = False) -> list[DeviceInfo]:
        """Return the backend's devices; raises what it raises."""
        self._backend()
        return self._loader.list_devices(self._name, local_only)

    def open(self, name: str | None, cancel: Cancel | None = None) -> Handle:
        """Open a device of the backend by its own name."""
        if name is None:
            name = self._backend().null_name
            if name is None:
                raise Invalid("open: no device name")
        self._backend()
        return self._loader.open(self._name, name, cancel)

    def exit(self) -> bool:
        """End the backend; return True if it survives, as then does this registry."""
        return self._loader.exit()

    def renew(self, context: Context, initialised: bool) -> None:
        """Go on with what a new sane_init recorded, if exit has said that the backend survives."""
        self._loader.set_context(context)
        self._initialised = initialised


def registry_of(names: Sequence[str] | None, context: Context) -> Registry:
    """Return the registry of a Python program: of these backends, None for those of dll.conf."""
    loader = Loader(context)
    environment = context.environment
    conf = PysaneConf(environment, loader.debug)
    loader.natives = conf.natives
    if names is None:
        # pysane is how our backends appear to another libsane: here it would be a loop.
        names = [name for name in backend_names(environment, loader.debug) if name != "pysane"]
    return Registry(loader, names, Aliases.load(environment, loader.debug), conf)


def registry_for(backend: str, context: Context, initialised: bool = True) -> Registry | Single:
    """Return the registry of a library: "" is dll, "pysane" all of ours, else one backend."""
    if backend == "":
        return registry_of(None, context)
    loader = Loader(context)
    if backend != "pysane":
        return Single(loader, backend, initialised)
    conf = PysaneConf(context.environment, loader.debug)
    return Registry(loader, conf.backends or offered(), Aliases(), conf)
