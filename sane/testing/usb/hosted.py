"""Emulated devices in a host process, as tests use them: plug, look at the trace, unplug.

    with Umockdev() as bus:
        scanner = bus.plug(MyScanner, page="a4.pnm")
        subprocess.run(["scanimage", "-L"], env={**os.environ, **bus.environment})
        assert scanner.trace()[0].data == b"..."

Device classes are named, not copied, to the host process: they stand in modules of their own that
import nothing but the standard library and this package, since the host may run under another
Python than the tests (umockdev needs the system's).
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from .faults import Fault, check
from .host import receive_message, send_message

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from .model import Event, UsbDevice

DEADLINE = 60.0  # seconds for an answer of the host process; it answers at once
SYSTEM_PYTHON = "/usr/bin/python3"
HAS_UMOCKDEV = (
    "import gi; gi.require_version('UMockdev', '1.0'); from gi.repository import UMockdev"
)


class HostError(Exception):
    """The host process failed; the text has its traceback."""


class Device:
    """An emulated device on the bus of a host process."""

    def __init__(self, bus: Bus, number: int, name: str) -> None:
        self._bus = bus
        self._number = number
        self.name = name  # as SANE names it, libusb:BBB:DDD; "" where only the kernel knows

    def trace(self, clear: bool = False) -> list[Event]:
        """Return what has happened on the bus; *clear*: since the last call with it."""
        events: list[Event] = self._bus.ask("trace", self._number, clear)
        return events

    def outputs(self) -> list[bytes]:
        """Return the data of all OUT transfers: the commands that the driver sent."""
        return [event.data for event in self.trace() if event.kind == "out"]

    def wait_for(
        self, kind: str, count: int = 1, beginning: bytes = b"", seconds: float = DEADLINE / 2
    ) -> None:
        """Wait until *count* events of *kind*, whose data begin as given, are in the trace."""
        found = self._bus.ask("await_events", self._number, kind, count, beginning, seconds)
        if found < count:
            raise TimeoutError(f"{found} of {count} events {kind!r} after {seconds:g} s")

    def fault(self, kind: str, endpoint: int, **words: Any) -> None:
        """Let a fault happen: see faults.Fault for the words."""
        self._bus.ask("fault", self._number, check(Fault(kind, endpoint, **words)))

    def clear_faults(self) -> None:
        """Forget the faults that have not happened."""
        self._bus.ask("clear_faults", self._number)

    def unplug(self) -> None:
        """Pull the plug."""
        self._bus.ask("unplug", self._number)

    @property
    def is_gone(self) -> bool:
        """Tell whether it has left the bus."""
        return bool(self._bus.ask("is_gone", self._number))

    def call(self, method: str, *arguments: Any, **words: Any) -> Any:
        """Call a method of the device's object."""
        return self._bus.ask("call", self._number, method, arguments, words)

    def get(self, attribute: str) -> Any:
        """Return an attribute of the device's object."""
        return self._bus.ask("get", self._number, attribute)

    def set(self, attribute: str, value: Any) -> None:
        """Set an attribute of the device's object."""
        self._bus.ask("set", self._number, attribute, value)


class Bus:
    """A host process with its bus; a context manager, ended by `close`."""

    def __init__(self, python: str, transport: str, *arguments: str, preload: str = "") -> None:
        commands, self._commands = os.pipe()
        self._replies, replies = os.pipe()
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
        package = __name__.rpartition(".")[0]
        command = [python, "-m", f"{package}.host", transport, str(commands), str(replies)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LD_"))}
        environment |= {"PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1", "LD_PRELOAD": preload}
        try:
            self._process = subprocess.Popen(
                [*command, *arguments],
                pass_fds=(commands, replies),
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        except BaseException:
            os.close(self._commands)
            os.close(self._replies)
            raise
        finally:
            os.close(commands)
            os.close(replies)
        try:
            self._receive()  # it is ready
            self.environment: dict[str, str] = self.ask("environment")
        except BaseException:
            self.close()
            raise

    def ask(self, command: str, *arguments: Any) -> Any:
        """Give the host process a command; return its answer."""
        with contextlib.suppress(BrokenPipeError):  # the answer says why
            send_message(self._commands, (command, *arguments))
        return self._receive()

    def plug(self, kind: type[UsbDevice], *arguments: Any, **words: Any) -> Device:
        """Plug in a device: *kind* is its class, which is called with the rest."""
        folder = _folder_of(kind)
        names = (folder, kind.__module__, kind.__qualname__)
        number, name = self.ask("plug", *names, arguments, words)
        return Device(self, number, name)

    def unplug_all(self) -> None:
        """Unplug every device."""
        self.ask("unplug_all")

    def close(self) -> None:
        """End the host process, and with it its devices."""
        os.close(self._commands)
        os.close(self._replies)
        try:
            self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _receive(self) -> Any:
        if not select.select([self._replies], [], [], DEADLINE)[0]:
            raise HostError(f"no answer within {DEADLINE:g} s")
        try:
            is_good, value = receive_message(self._replies)
        except EOFError:
            status = self._process.wait(DEADLINE)
            raise HostError(f"the host process ended with status {status}") from None
        if not is_good:
            raise HostError(value)
        return value


class Umockdev(Bus):
    """Devices that programs see which run with `environment`; no kernel takes part."""

    def __init__(self) -> None:
        # The host runs under the preload as well: its hot-plug events find the devices by it.
        super().__init__(SYSTEM_PYTHON, "umockdev", preload="libumockdev-preload.so.0")


class Usbredir(Bus):
    """Ports of a QEMU machine, one for each socket, which must exist before QEMU starts."""

    def __init__(self, *sockets: str) -> None:
        super().__init__(sys.executable, "usbredir", *sockets)


class Usbip(Bus):
    """Devices behind a USB/IP server on this machine, on the port that `environment` names."""

    def __init__(self) -> None:
        super().__init__(sys.executable, "usbip")


def missing_for_umockdev() -> str:
    """Return the packages without which Umockdev cannot start, "" when all are there."""
    python = shutil.which(SYSTEM_PYTHON)
    if python is not None:
        done = subprocess.run([python, "-c", HAS_UMOCKDEV], capture_output=True, check=False)
        if done.returncode == 0:
            return ""
    return "python3-gi gir1.2-umockdev-1.0"


def _folder_of(kind: type[UsbDevice]) -> str:
    """Return the folder in which the module of *kind* is found, "" for one of this package."""
    if kind.__module__.partition(".")[0] == __name__.partition(".")[0]:
        return ""
    file = sys.modules[kind.__module__].__file__ or ""
    return os.path.abspath(os.path.join(file, *[".."] * (kind.__module__.count(".") + 1)))
