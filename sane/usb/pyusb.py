"""The real device: found, opened, claimed and controlled through pyusb.

pyusb finds and opens the device, claims, resets and clears halts; the bytes move in transfers.pyx
on the same libusb handle, since pyusb has no asynchronous bulk transfers. Every open device has a
libusb context of its own, so that no thread handles another device's events.
"""

from __future__ import annotations

from ..errors import AccessDenied, DeviceBusy, DeviceIOError, Invalid, SaneError, Unsupported
from .access import who_holds, why_denied
from .handle import Unplugged
from .link import OK, UNPLUGGED, Link
from .outcome import CODE_NAMES, ERROR_ACCESS, ERROR_BUSY, ERROR_NO_DEVICE, ERROR_NOT_FOUND, of_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..debug import Debug
    from .descriptors import Endpoint, Interface
    from .sysfs import Entry

LIBRARY = "libusb-1.0.so.0"  # by name: pyusb's own look-up starts ldconfig or a compiler


def new_context() -> Any:
    """Return pyusb's libusb1 backend with a context of its own."""
    try:
        from usb.backend import libusb1
    except ImportError as exc:
        raise Unsupported(f"USB devices need pyusb: {exc}") from exc
    shared = libusb1.get_backend(find_library=lambda name: LIBRARY)
    if shared is None:
        raise Unsupported(f"{LIBRARY} cannot be loaded: is libusb-1.0-0 installed, is there a USB?")
    return type(shared)(shared.lib)


def transfers_for(lib: Any, context: Any, handle: Any, debug: Debug) -> Any:
    """Return what moves bytes: compiled if this tree is, else in synchronous slices."""
    try:
        from .transfers import Transfers as Compiled
    except ImportError:
        from .slices import Transfers

        debug(3, "not compiled: one USB transfer at a time")
        return Transfers(lib, context, handle)
    return Compiled(lib, context, handle)


class RealLink(Link):
    """An open device on the bus; raises a SaneError that names the cause if it cannot be opened."""

    def __init__(self, entry: Entry, interface: Interface, debug: Debug) -> None:
        self._entry = entry
        self._interface = interface
        self._debug = debug
        self._detached = False
        self._context = with_signals_blocked(new_context)
        try:
            self._handle = self._open()
        except BaseException:
            self._context.finalize()
            raise
        try:
            self._claim()
            context = self._context
            self._take_over(transfers_for(context.lib, context.ctx, self._handle.handle, debug))
        except BaseException:
            self._release()
            raise

    # Opening

    def _open(self) -> Any:
        devices = self._context.enumerate_devices()
        try:
            for device in devices:
                try:
                    if self._is_it(device):
                        return self._try("open", self._context.open_device, device)
                finally:
                    device.finalize()  # before the context, whoever holds the exception
        finally:
            devices.finalize()
        raise Invalid(f"{self._entry.name}: the device is not on the bus any more")

    def _is_it(self, device: Any) -> bool:
        entry = self._entry
        seen = self._context.get_device_descriptor(device)
        ids = (seen.idVendor, seen.idProduct)
        place = (seen.bus, seen.address)
        return place == (entry.bus, entry.address) and ids == (entry.vendor, entry.product)

    def _claim(self) -> None:
        context, handle, number = self._context, self._handle, self._interface.number
        if not self._entry.configuration:
            value = self._interface.configuration
            self._try("set configuration", context.set_configuration, handle, value)
        try:
            if context.is_kernel_driver_active(handle, number):
                self._debug(2, "%s: detach %s", self._entry.name, self._entry.driver(number))
                self._try("detach", context.detach_kernel_driver, handle, number)
                self._detached = True
        except (NotImplementedError, OSError) as exc:
            self._debug(2, "%s: is a kernel driver active? %s", self._entry.name, exc)
        self._try("claim", context.claim_interface, handle, number)
        if self._interface.alternate:
            alternate = self._interface.alternate
            select = context.set_interface_altsetting
            self._try("set interface", select, handle, number, alternate)

    def _try(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        """Return call(*arguments), or raise the error that says what is wrong and what helps."""
        try:
            return call(*arguments)
        except (NotImplementedError, OSError) as exc:
            raise self._explain(what, getattr(exc, "backend_error_code", None), exc) from exc

    def _explain(self, what: str, code: int | None, exc: Exception) -> SaneError:
        entry = self._entry
        name = f"{entry.name} ({entry.vendor:04x}:{entry.product:04x})"
        if code == ERROR_ACCESS:
            reason = why_denied(entry.node) or f"no permission for {entry.node}"
            return AccessDenied(f"{name}: {reason}")
        if code == ERROR_BUSY:
            holder = who_holds(entry, self._interface.number) or "an unknown program"
            number = self._interface.number
            return DeviceBusy(f"{name}: interface {number} is in use by {holder}")
        if code in (ERROR_NO_DEVICE, ERROR_NOT_FOUND):
            return Unplugged(f"{name}: {what}: the device was unplugged")
        return DeviceIOError(f"{name}: {what}: {CODE_NAMES.get(code or 0, exc)}")

    # Transfers: those of transfers.pyx themselves, a call more costs as much as the rest

    def _take_over(self, transfers: Any) -> None:
        self.transfer_in = self.transfer_out = transfers.transfer  # type: ignore[method-assign]
        self.control = transfers.control  # type: ignore[method-assign]
        self.stream = transfers.stream  # type: ignore[method-assign]
        self._transfers = transfers
        if hasattr(transfers, "bulk"):  # compiled
            self.transfers = transfers

    # Recovery

    def clear_halt(self, endpoint: Endpoint) -> str:
        return self._outcome(self._context.clear_halt, self._handle, endpoint.address)

    def reset(self) -> str:
        outcome = self._outcome(self._context.reset_device, self._handle)
        if outcome == OK and self._interface.alternate:
            number, alternate = self._interface.number, self._interface.alternate
            select = self._context.set_interface_altsetting
            outcome = self._outcome(select, self._handle, number, alternate)
        return outcome

    def _outcome(self, call: Callable[..., Any], *arguments: Any) -> str:
        try:
            call(*arguments)
        except (NotImplementedError, OSError) as exc:
            code = getattr(exc, "backend_error_code", None) or 1
            self._debug(2, "%s: %s", self._entry.name, exc)
            # Not found: after a reset the device came back as another one, at another address.
            return UNPLUGGED if code == ERROR_NOT_FOUND else of_code(code)
        return OK

    def close(self) -> None:
        self._transfers.close()
        self._release()

    def _release(self) -> None:
        context, handle, number = self._context, self._handle, self._interface.number
        self._outcome(context.release_interface, handle, number)
        if self._detached:
            self._outcome(context.attach_kernel_driver, handle, number)
        context.close_device(handle)
        del self._handle
        context.finalize()


def with_signals_blocked(call: Callable[[], Any]) -> Any:
    """Return call(); libusb's own thread is started by it and must take no signal of the host."""
    import _signal  # type: ignore[import-not-found]  # signal itself imports enum

    old = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
    try:
        return call()
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, old)
