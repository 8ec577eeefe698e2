"""The lists of all backends: asked for, or kept from the last time and refreshed behind it.

It knows Discovery and the cache; it knows neither the names that a frontend sees nor C. A kept
list is an opt-in of pysane.conf (list-cache). What refreshes it must not stand in the way: it
is stopped before a device is opened, and at sane_exit; it does not begin while C backends are in
use in this process.
"""

from __future__ import annotations

import os

from .. import config
from ..threads import start_thread
from .discover import Discovery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .discover import Helper, Lists
    from .pysane_conf import PysaneConf
    from .registry import Loader

FRESH_SECONDS = 10.0  # a kept list that is younger is not refreshed
STOP_SECONDS = 2.0  # what the end of a refresh may take; the helper's processes die at once
# The variables that say where backends, their configuration and devices are looked for.
WHAT_IS_LISTED = (
    *("SANE_CONFIG_DIR", "SANE_NET_HOSTS", "PYSANE_BACKEND_PATH", "PYSANE_USB_REPLAY"),
    *("LD_LIBRARY_PATH", "SHLIB_PATH", "LIBPATH"),
)
USB_DEVICES = "/sys/bus/usb/devices"


class Listing:
    """Lists the devices of one registry's backends."""

    def __init__(self, loader: Loader, discovery: Discovery | None = None) -> None:
        self._loader = loader
        self._discovery = Discovery(loader) if discovery is None else discovery
        self._refresh: Refresh | None = None

    def lists(self, names: Sequence[str], local_only: bool, settings: PysaneConf) -> Lists:
        """Return the devices of each backend, by its name; a kept list if one is young enough."""
        if not settings.cache_seconds:
            return self._discovery.ask(names, local_only, settings)
        from . import cache

        place = cache.folder(self._loader.context.environment)
        if place is None:
            return self._discovery.ask(names, local_only, settings)
        file = "devices-local" if local_only else "devices"
        debug = self._loader.debug
        store = cache.Cache(place, file, self._conditions(names), debug)
        kept = store.load()
        if kept is not None:
            self._discovery.durations_ms.update(kept.durations_ms)
            debug(4, "a list was kept %.1f s ago", kept.age)

        def renew(refresh: Refresh | None = None) -> Lists:
            found = self._discovery.ask(names, local_only, settings, refresh)
            if refresh is None or not refresh.stopped:
                store.store(found, self._discovery.durations_ms)
            return found

        if kept is None or kept.age > settings.cache_seconds:
            return renew()
        if (
            kept.age > FRESH_SECONDS
            and (self._refresh is None or self._refresh.is_over)
            and not any(map(self._loader.is_c_backend, names))
        ):
            self._refresh = Refresh(renew)
        return kept.lists

    def _conditions(self, names: Sequence[str]) -> str:
        """Return what a kept list depends on: another text is another list."""
        environment = self._loader.context.environment
        return " ".join(
            [
                *names,
                *("native", *sorted(self._loader.natives or ())),
                *usb_devices(),
                *filter(None, (config.state(environment, f"{name}.conf") for name in names)),
                *(f"{name}={environment.get(name)}" for name in WHAT_IS_LISTED),
            ]
        )

    def stop(self) -> None:
        """End a refresh, so that no other process of ours holds a device."""
        if self._refresh is not None:
            self._refresh.stop()

    def busy(self) -> set[str]:
        """Return the backends that are in a call that was given up, or in a refresh."""
        return self._discovery.busy()


class Refresh:
    """A list being made by a thread, for the next time."""

    def __init__(self, renew: Callable[[Refresh], object]) -> None:
        import _thread

        self.stopped = False
        self.is_over = False
        self._helper: Helper | None = None
        self._ended = _thread.allocate_lock()
        self._ended.acquire()
        self._renew = renew
        try:
            start_thread(self._run)
        except (RuntimeError, MemoryError):  # no thread is to be had: the next list is made anew
            self.is_over = True
            self.helper_ended()

    def _run(self) -> None:
        try:
            self._renew(self)
        finally:
            self.is_over = True
            self.helper_ended()

    def helper_started(self, helper: Helper) -> None:
        """Take the helper that must end when this is stopped."""
        self._helper = helper
        if self.stopped:
            helper.hang_up()

    def helper_ended(self) -> None:
        """Note that no process of ours asks a backend any more."""
        if self._ended.locked():
            self._ended.release()

    def stop(self) -> None:
        """End it; return when its helper has ended. Python backends may go on for a while."""
        self.stopped = True
        if self._helper is not None:
            self._helper.hang_up()
        if self._ended.acquire(True, STOP_SECONDS):
            self._ended.release()


def usb_devices() -> list[str]:
    """Return what is on the USB now: a list made before something was plugged in is old."""
    found = []
    try:
        for name in sorted(os.listdir(USB_DEVICES)):
            if ":" not in name:
                with open(f"{USB_DEVICES}/{name}/devnum", encoding="ascii") as file:
                    found.append(f"{name}={file.read().strip()}")
    except OSError:
        pass  # without sysfs the age alone decides
    return found
