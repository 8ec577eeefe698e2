"""The one binding to libusb: the library, an open device, and every call that is made on it.

pyusb loads the library; its libusb1 backend finds, opens, claims, resets and clears halts, and
knows libusb's structures and prototypes. It has no asynchronous bulk transfers, and its reads do
not tell what moved before a failure: transfers are therefore carried out on the same library
object, by the addresses of its functions where PySANE is compiled (transfers.pyx), else by its
prototypes (slices.py). A binding of our own would describe a second time what pyusb describes and
keeps up with. Nothing else in PySANE knows pyusb.

Every open device has a libusb context of its own, so that no thread handles another's events.
"""

from __future__ import annotations

from .. import deps
from ..errors import Unsupported
from .outcome import CODE_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..debug import Debug
    from .link import Transfers

LIBRARY = "libusb-1.0.so.0"  # by name: pyusb's own look-up starts ldconfig or a compiler


class LibusbError(Exception):
    """libusb refused a call; *code*: its number (outcome.py), 0 if there is none."""

    def __init__(self, code: int, reason: object) -> None:
        super().__init__(CODE_NAMES.get(code, str(reason)))
        self.code = code


def new_context() -> Any:
    """Return pyusb's libusb1 backend with a context of its own."""
    try:
        deps.load("usb")
        from usb.backend import libusb1
    except ImportError as exc:
        raise Unsupported(f"USB devices need pyusb: {exc}") from exc
    shared = libusb1.get_backend(find_library=lambda name: LIBRARY)
    if shared is None:
        raise Unsupported(
            f"USB devices need libusb, and {LIBRARY} cannot be loaded: install libusb-1.0-0 "
            "(Debian, Ubuntu) or libusb1 (Fedora)"
        )
    return type(shared)(shared.lib)


class OpenDevice:
    """A device that is open; raises LibusbError for what libusb refuses.

    place: bus and address. ids: vendor and product, which whoever is there must have: is_there is
    False, and nothing open, if it has not. library: pyusb's library object, with prototypes.
    """

    def __init__(self, place: tuple[int, int], ids: tuple[int, int]) -> None:
        self._context = with_signals_blocked(new_context)
        self.library = self._context.lib
        self.handle: Any = None  # libusb's, as the prototypes take it
        self._opened: Any = None  # the same, as pyusb's backend takes it
        try:
            self._open(place, ids)
        except BaseException:
            self.close()
            raise
        self.is_there = self._opened is not None
        if not self.is_there:
            self.close()

    def _open(self, place: tuple[int, int], ids: tuple[int, int]) -> None:
        devices = self._context.enumerate_devices()
        try:
            for device in devices:
                try:
                    seen = self._context.get_device_descriptor(device)
                    if ((seen.bus, seen.address), (seen.idVendor, seen.idProduct)) == (place, ids):
                        self._opened = call(self._context.open_device, device)
                        self.handle = self._opened.handle
                        return
                finally:
                    device.finalize()  # before the context, whoever holds the exception
        finally:
            devices.finalize()

    def set_configuration(self, value: int) -> None:
        """Choose the configuration *value*."""
        call(self._context.set_configuration, self._opened, value)

    def has_driver(self, interface: int) -> bool:
        """Tell whether a kernel driver holds *interface*."""
        return bool(call(self._context.is_kernel_driver_active, self._opened, interface))

    def detach(self, interface: int) -> None:
        """Take *interface* from its kernel driver."""
        call(self._context.detach_kernel_driver, self._opened, interface)

    def attach(self, interface: int) -> None:
        """Give *interface* back to its kernel driver."""
        call(self._context.attach_kernel_driver, self._opened, interface)

    def claim(self, interface: int) -> None:
        """Claim *interface*."""
        call(self._context.claim_interface, self._opened, interface)

    def release(self, interface: int) -> None:
        """Release *interface*."""
        call(self._context.release_interface, self._opened, interface)

    def set_alternate(self, interface: int, alternate: int) -> None:
        """Choose a setting of *interface*."""
        call(self._context.set_interface_altsetting, self._opened, interface, alternate)

    def clear_halt(self, endpoint: int) -> None:
        """End the halt of the endpoint at that address."""
        call(self._context.clear_halt, self._opened, endpoint)

    def reset(self) -> None:
        """Reset the device; its claims come again by themselves."""
        call(self._context.reset_device, self._opened)

    def transfers(self, debug: Debug) -> Transfers:
        """Return what moves bytes: compiled if this tree is, else in synchronous slices."""
        try:
            from .transfers import Transfers as Compiled
        except ImportError:
            from .slices import SlicedTransfers

            debug(3, "not compiled: one USB transfer at a time")
            return SlicedTransfers(self)
        transfers: Transfers = Compiled(
            self._address, self._context.ctx.value or 0, self.handle.value or 0
        )
        return transfers

    def _address(self, name: str) -> int:
        """Return the address of the function *name*."""
        import ctypes

        address: int = ctypes.cast(getattr(self.library, name), ctypes.c_void_p).value or 0
        return address

    def close(self) -> None:
        """Close the device and its context; called once, after what moves bytes."""
        if self._opened is not None:
            self._context.close_device(self._opened)
            self._opened = self.handle = None
        self._context.finalize()


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return function(*arguments); raises LibusbError for what pyusb raises."""
    try:
        return function(*arguments)
    except (NotImplementedError, OSError) as exc:
        raise LibusbError(getattr(exc, "backend_error_code", None) or 0, exc) from exc


def with_signals_blocked(call: Callable[[], Any]) -> Any:
    """Return call(); libusb's own thread is started by it and must take no signal of the host."""
    import _signal  # type: ignore[import-not-found]  # signal itself imports enum

    old = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
    try:
        return call()
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, old)
