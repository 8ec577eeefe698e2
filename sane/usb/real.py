"""The real device: opened and claimed for SANE, with words for what goes wrong.

It knows interfaces, kernel drivers and permissions; libusb is called in libusb.py alone.
"""

from __future__ import annotations

import time

from ..errors import AccessDenied, DeviceBusy, DeviceIOError, Invalid, SaneError, Unsupported
from .access import who_holds, why_denied
from .failures import Unplugged
from .libusb import LibusbError, OpenDevice
from .link import OK, UNPLUGGED, Link
from .outcome import ERROR_ACCESS, ERROR_BUSY, ERROR_NO_DEVICE, ERROR_NOT_FOUND, of_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..debug import Debug
    from .descriptors import Endpoint, Interface
    from .link import Transfers
    from .sysfs import BusDevice

TURN_SECONDS = 0.5  # `pysane share` has a device for at most 0.2 s to read its buttons
PAUSE_SECONDS = 0.02  # between two attempts


class RealLink(Link):
    """An open device on the bus; raises a SaneError that names the cause if it cannot be opened."""

    def __init__(self, bus_device: BusDevice, interface: Interface, debug: Debug) -> None:
        self._bus_device = bus_device
        self._interface = interface
        self._debug = debug
        self._detached = False
        try:
            place, ids = (
                (bus_device.bus, bus_device.address),
                (bus_device.vendor, bus_device.product),
            )
            self._device = OpenDevice(place, ids)
        except LibusbError as exc:
            raise self._explain("open", exc) from exc
        except Unsupported as exc:
            debug(0, "%s: %s", bus_device.name, exc)  # a C program gets no more than a status
            raise
        if not self._device.is_there:
            raise Invalid(f"{bus_device.name}: the device is not on the bus any more")
        try:
            self._claim()
            self._transfers = self._device.transfers(debug)
        except BaseException:
            self._release()
            raise

    @property
    def transfers(self) -> Transfers:
        return self._transfers

    # Opening

    def _claim(self) -> None:
        device, number = self._device, self._interface.number
        if not self._bus_device.configuration:
            value = self._interface.configuration
            self._try("set configuration", device.set_configuration, value)
        try:
            if device.has_driver(number):
                self._debug(
                    2, "%s: detach %s", self._bus_device.name, self._bus_device.driver(number)
                )
                self._detached = True
        except LibusbError as exc:
            self._debug(2, "%s: is a kernel driver active? %s", self._bus_device.name, exc)
        if self._detached:
            self._try("detach", device.detach, number)
        self._claim_in_turn(device, number)
        if self._interface.alternate:
            self._try("set interface", device.set_alternate, number, self._interface.alternate)

    def _claim_in_turn(self, device: OpenDevice, number: int) -> None:
        """Claim the interface; wait for a program that has it only to look at the buttons."""
        until = time.monotonic() + TURN_SECONDS
        while True:
            try:
                return device.claim(number)
            except LibusbError as exc:
                if exc.code != ERROR_BUSY or time.monotonic() >= until:
                    raise self._explain("claim", exc) from exc
            time.sleep(PAUSE_SECONDS)

    def _try(self, what: str, call: Callable[..., None], *arguments: int) -> None:
        """Do call(*arguments), or raise the error that says what is wrong and what helps."""
        try:
            call(*arguments)
        except LibusbError as exc:
            raise self._explain(what, exc) from exc

    def _explain(self, what: str, exc: LibusbError) -> SaneError:
        bus_device = self._bus_device
        name = f"{bus_device.name} ({bus_device.vendor:04x}:{bus_device.product:04x})"
        if exc.code == ERROR_ACCESS:
            reason = why_denied(bus_device.node) or f"no permission for {bus_device.node}"
            return AccessDenied(f"{name}: {reason}")
        if exc.code == ERROR_BUSY:
            holder = who_holds(bus_device, self._interface.number) or "an unknown program"
            number = self._interface.number
            return DeviceBusy(f"{name}: interface {number} is in use by {holder}")
        if exc.code in (ERROR_NO_DEVICE, ERROR_NOT_FOUND):
            return Unplugged(f"{name}: {what}: the device was unplugged")
        return DeviceIOError(f"{name}: {what}: {exc}")

    # Recovery

    def clear_halt(self, endpoint: Endpoint) -> str:
        return self._outcome(self._device.clear_halt, endpoint.address)

    def reset(self) -> str:
        outcome = self._outcome(self._device.reset)
        if outcome == OK and self._interface.alternate:
            number, alternate = self._interface.number, self._interface.alternate
            outcome = self._outcome(self._device.set_alternate, number, alternate)
        return outcome

    def _outcome(self, call: Callable[..., None], *arguments: int) -> str:
        try:
            call(*arguments)
        except LibusbError as exc:
            self._debug(2, "%s: %s", self._bus_device.name, exc)
            # Not found: after a reset the device came back as another one, at another address.
            return UNPLUGGED if exc.code == ERROR_NOT_FOUND else of_code(exc.code or 1)
        return OK

    def close(self) -> None:
        self._transfers.close()
        self._release()

    def _release(self) -> None:
        number = self._interface.number
        self._outcome(self._device.release, number)
        if self._detached:
            self._outcome(self._device.attach, number)
        self._device.close()
