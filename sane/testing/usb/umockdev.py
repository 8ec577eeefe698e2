"""The umockdev transport: usbfs and sysfs as programs see them that umockdev's preload watches.

No kernel takes part. A device appears below the testbed's folder; the ioctls of its node arrive
here. Needs the system's Python with gi and UMockdev (packages python3-gi, gir1.2-umockdev-1.0).

Source: Linux include/uapi/linux/usbdevice_fs.h (ioctls, struct usbdevfs_urb on 64-bit machines);
umockdev's API documentation.
"""

from __future__ import annotations

import os
import struct
from collections import deque
from errno import EAGAIN, EBUSY, EINVAL, ENODATA, ENODEV, ENOENT, ENOTTY
from typing import TYPE_CHECKING, Any

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import GLib, UMockdev  # noqa: E402 - after the version was chosen

from . import descriptors  # noqa: E402
from .model import UsbDevice  # noqa: E402
from .state import state_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

SPEEDS = {descriptors.LOW: "1.5", descriptors.FULL: "12", descriptors.HIGH: "480"}
SUPER = "5000"

# ioctl numbers, their low 16 bits.
SETINTERFACE, SETCONFIGURATION, GETDRIVER = 0x5504, 0x5505, 0x5508
SUBMITURB, DISCARDURB, REAPURB_NOW = 0x550A, 0x550B, 0x550D
CLAIM, RELEASE, IOCTL, RESET, CLEAR_HALT = 0x550F, 0x5510, 0x5512, 0x5514, 0x5515
GET_CAPABILITIES = 0x551A
CAPABILITIES = 0x1F  # one URB however long the transfer, and reaping after a disconnect

URB_SIZE = 56
BUFFER, STATUS, ACTUAL = 16, 4, 28  # offsets in it
URB_CONTROL = 2

DEVICES_OF_A_BUS = 126  # with the root hub, as many as USB has addresses

PATIENCE_MS = 3  # how long "nothing to reap" is held back: libusb would ask without pause


class Loop:
    """The methods of loop.Loop over GLib's main loop, which umockdev uses."""

    def __init__(self) -> None:
        self._loop = GLib.MainLoop()
        self._watched: dict[int, int] = {}

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call *function* once, *seconds* from now."""

        def once() -> bool:
            function()
            return False

        GLib.timeout_add(max(0, round(seconds * 1000)), once)

    def watch(self, descriptor: int, function: Callable[[], None]) -> None:
        """Call *function* whenever *descriptor* is readable."""

        def ready(*_: object) -> bool:
            function()
            return True

        conditions = GLib.IOCondition.IN | GLib.IOCondition.HUP
        self._watched[descriptor] = GLib.unix_fd_add_full(
            GLib.PRIORITY_DEFAULT, descriptor, conditions, ready
        )

    def unwatch(self, descriptor: int) -> None:
        """Stop watching."""
        GLib.source_remove(self._watched.pop(descriptor))

    def run(self) -> None:
        """Run until `stop`."""
        self._loop.run()

    def stop(self) -> None:
        """End `run`."""
        self._loop.quit()

    def close(self) -> None:
        """Release nothing: GLib keeps its descriptors."""


class Bus:
    """A testbed, to which devices are added."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._testbed = UMockdev.Testbed.new()
        self._plugged = 0  # devices so far; a number is never given out again
        self._paths: dict[UsbDevice, tuple[str, str]] = {}
        self._keep_folder()

    @property
    def environment(self) -> dict[str, str]:
        """What a program's environment needs to see the devices."""
        return {
            "LD_PRELOAD": "libumockdev-preload.so.0",
            "UMOCKDEV_DIR": self._testbed.get_root_dir(),
        }

    def plug(self, device: UsbDevice) -> str:
        """Add *device*; return its SANE-style name."""
        full, place = divmod(self._plugged, DEVICES_OF_A_BUS)
        self._plugged += 1
        bus, number = full + 1, place + 2  # 1 would be the root hub
        name = f"libusb:{bus:03}:{number:03}"
        port = f"{bus}-{number - 1}"
        path = f"/devices/pci0000:00/0000:00:14.0/usb{bus}/{port}"
        node = f"/dev/bus/usb/{bus:03}/{number:03}"
        text = _device_text(device, path, node, (bus, number))
        text += _interface_texts(device, path, port)
        self._testbed.add_from_string(text)
        node_handler = Node(device, self._loop)
        self._testbed.attach_ioctl(node, node_handler)
        device.enumerated()
        device.call_later = self._loop.call_later
        device.leaving = lambda: self._remove(device)  # whoever sees a failure lists without it
        self._paths[device] = (f"/sys{path}", node)
        return name

    def _remove(self, device: UsbDevice) -> None:
        """Take a device that has gone out of /sys and /dev; who has it open keeps its node."""
        path, node = self._paths.pop(device)
        self._testbed.uevent(path, "remove")
        self._testbed.remove_device(path)  # with its interfaces
        root = self._testbed.get_root_dir()
        if os.path.lexists(root + node):
            os.unlink(root + node)
        self._keep_folder()

    def _keep_folder(self) -> None:
        """A bus without devices is a bus, too: some releases of umockdev remove its folder."""
        os.makedirs(f"{self._testbed.get_root_dir()}/sys/bus/usb/devices", exist_ok=True)

    def close(self) -> None:
        """Remove all devices."""
        for device in list(self._paths):
            device.unplug()


def _device_text(device: UsbDevice, path: str, node: str, address: tuple[int, int]) -> str:
    """Return umockdev's description of the device itself, at bus and number *address*."""
    bus, number = address
    raw = (device.descriptor + device.configuration).hex().upper()
    product = f"{device.vendor:x}/{device.product:x}/{device.release:x}"
    lines = [
        f"P: {path}",
        f"N: {node[5:]}={raw}",
        *(f"E: {key}={value}" for key, value in (
            ("DEVNAME", node), ("DEVTYPE", "usb_device"), ("SUBSYSTEM", "usb"), ("DRIVER", "usb"),
            ("BUSNUM", f"{bus:03}"), ("DEVNUM", f"{number:03}"), ("PRODUCT", product),
            ("MAJOR", "189"), ("MINOR", str((bus - 1) * 128 + number - 1)),
        )),
        *(f"A: {key}={value}\\n" for key, value in (
            ("busnum", str(bus)), ("devnum", str(number)),
            ("speed", SPEEDS.get(device.speed, SUPER)),
            ("bConfigurationValue", str(device.configuration[5])),
            ("bNumInterfaces", str(device.configuration[4])), ("bNumConfigurations", "1"),
            ("bDeviceClass", f"{device.codes[0]:02x}"),
            ("bDeviceSubClass", f"{device.codes[1]:02x}"),
            ("bDeviceProtocol", f"{device.codes[2]:02x}"),
            ("idVendor", f"{device.vendor:04x}"), ("idProduct", f"{device.product:04x}"),
            ("bcdDevice", f"{device.release:04x}"),
            *zip(("manufacturer", "product", "serial"), device.strings, strict=False),
        )),
        f"H: descriptors={raw}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n\n"


def _interface_texts(device: UsbDevice, path: str, port: str) -> str:
    """Return umockdev's descriptions of the interfaces in their first settings."""
    texts = ""
    for interface in device.interfaces:
        if interface.alternate:
            continue
        pairs = (
            ("bInterfaceNumber", interface.number),
            ("bAlternateSetting", 0),
            ("bNumEndpoints", len(interface.endpoints)),
            ("bInterfaceClass", interface.usb_class),
            ("bInterfaceSubClass", interface.subclass),
            ("bInterfaceProtocol", interface.protocol),
        )
        texts += f"P: {path}/{port}:1.{interface.number}\n"
        texts += "E: DEVTYPE=usb_interface\nE: SUBSYSTEM=usb\n"
        texts += "".join(f"A: {key}={value:02x}\\n\n" for key, value in pairs) + "\n"
    return texts


class Client:
    """One open file on the node: its URBs, the interfaces it claimed."""

    def __init__(self) -> None:
        self.pending: dict[bytes, Any] = {}  # by the client's pointer
        self.finished: deque[Any] = deque()
        self.reaping: Any = None  # an ioctl that waits for one to finish
        self.has_asked = False  # in vain, since it reaped the last one
        self.claimed: set[int] = set()


class Node(UMockdev.IoctlBase):  # type: ignore[misc] # gi has no types
    """The ioctls of one device's node in /dev/bus/usb."""

    def __init__(self, device: UsbDevice, loop: Loop) -> None:
        super().__init__()
        self._device = device
        self._loop = loop
        self._clients: dict[Any, Client] = {}

    def do_handle_ioctl(self, client: Any) -> bool:
        """Serve one ioctl: umockdev's entry point."""
        for other in [other for other in self._clients if not other.get_connected()]:
            self._forget(other)  # umockdev does not report who has gone
        state = self._clients.setdefault(client, Client())
        try:
            self._serve(client, state)
        except GLib.Error:  # killed in mid-ioctl: its memory cannot be reached
            self._forget(client)
            client.abort()
        return True

    def _serve(self, client: Any, state: Client) -> None:
        request = client.get_request() & 0xFFFF
        if request == REAPURB_NOW:
            self._reap(client, state)
        elif state_of(self._device).is_gone:
            client.complete(-1, ENODEV)
        elif request == SUBMITURB:
            self._submit(client, state)
        elif request == DISCARDURB:
            self._discard(client, state)
        else:
            error = self._simple(request, client.get_arg(), state)
            client.complete(-1 if error else 0, error)

    def _forget(self, client: Any) -> None:
        """Cancel what a program that has ended left."""
        state = self._clients.pop(client)
        for key in state.pending:
            self._device.cancel((client, key))

    def _simple(self, request: int, arg: Any, state: Client) -> int:
        """Carry out an ioctl without a URB; return 0 or an errno."""

        def words(count: int) -> tuple[int, ...]:
            return struct.unpack(f"={count}I", bytes(arg.resolve(0, 4 * count).retrieve()))

        device = self._device
        error = 0
        if request == GET_CAPABILITIES:
            arg.resolve(0, 4).update(0, list(struct.pack("=I", CAPABILITIES)))
        elif request in (GETDRIVER, IOCTL):
            error = ENODATA  # no kernel driver holds the interface
        elif request == CLAIM:
            error = self._claim(words(1)[0], state)
        elif request == RELEASE:
            state.claimed.discard(words(1)[0])
        elif request == SETCONFIGURATION:
            error = 0 if device.configure(words(1)[0]) else EINVAL
        elif request == SETINTERFACE:
            error = 0 if device.set_interface(*words(2)) else EINVAL
        elif request == CLEAR_HALT:
            device.clear_halt(words(1)[0])
        elif request == RESET:
            device.reset(device.configuration[5])
        else:
            error = ENOTTY
        return error

    def _claim(self, number: int, state: Client) -> int:
        """Claim an interface; return 0 or an errno."""
        if number not in state_of(self._device).alternates:
            return ENOENT
        if any(number in other.claimed for other in self._clients.values() if other != state):
            return EBUSY
        state.claimed.add(number)
        return 0

    def _submit(self, client: Any, state: Client) -> None:
        """Start a transfer."""
        arg = client.get_arg()
        key = bytes(arg.retrieve())  # the program's pointer; resolve puts a local one there
        urb = arg.resolve(0, URB_SIZE)
        kind, address = struct.unpack_from("=BB", bytes(urb.retrieve()[:2]))
        length = struct.unpack_from("=i", bytes(urb.retrieve()[24:28]))[0]
        buffer = urb.resolve(BUFFER, length) if length else None
        state.pending[key] = urb

        def done(status: int, data: bytes) -> None:
            actual = len(data) if is_in else length - head
            if data and buffer is not None:
                buffer.update(head, data)
            self._finish(state, key, status, actual if is_in or not status else 0)

        head = 8 if kind == URB_CONTROL else 0  # the setup packet leads a control buffer
        content = b""
        if kind == URB_CONTROL or not address & 0x80:
            content = bytes(buffer.retrieve()) if buffer is not None else b""
        is_in = bool(address & 0x80 if kind != URB_CONTROL else content[0] & 0x80)
        client.complete(0, 0)
        name = (client, key)
        if kind == URB_CONTROL:
            self._device.submit_control(name, content[:8], b"" if is_in else content[8:], done)
        elif is_in:
            self._device.submit_in(address, name, length, done)
        else:
            self._device.submit_out(address, name, content, done)

    def _finish(self, state: Client, key: bytes, status: int, actual: int) -> None:
        """Put a URB where the program reaps it."""
        urb = state.pending.pop(key, None)
        if urb is None:
            return
        urb.update(STATUS, list(struct.pack("=i", status)))
        urb.update(ACTUAL, list(struct.pack("=i", actual)))
        state.finished.append(urb)
        if state.reaping is not None:
            waiting, state.reaping = state.reaping, None
            self._reap(waiting, state)

    def _discard(self, client: Any, state: Client) -> None:
        """Cancel a transfer; its URB is reaped with ENOENT."""
        key = bytes(client.get_arg().retrieve())
        if key in state.pending and self._device.cancel((client, key)):
            client.complete(0, 0)
            self._finish(state, key, -ENOENT, 0)
        else:
            client.complete(-1, EINVAL)

    def _reap(self, client: Any, state: Client) -> None:
        """Hand out a finished URB, or hold the answer back for a moment in case one finishes."""
        if state.finished:
            client.get_arg().resolve(0, 8).set_ptr(0, state.finished.popleft())
            state.has_asked = False
            client.complete(0, 0)
        elif state_of(self._device).is_gone:
            client.complete(-1, ENODEV)
        elif not state.has_asked or not state.pending:
            state.has_asked = True
            client.complete(-1, EAGAIN)
        else:
            state.reaping = client
            self._loop.call_later(PATIENCE_MS / 1000, lambda: self._give_up(client, state))

    def _give_up(self, client: Any, state: Client) -> None:
        """Say that there is nothing to reap."""
        if state.reaping is client:
            state.reaping = None
            client.complete(-1, EAGAIN)
