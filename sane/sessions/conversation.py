"""One client's session: requests in, devices of this machine out.

It knows requests and devices by their handles; what a client may open is the site's, and how
clients are accepted and bytes laid out is others'. A session is a process: whatever a client or a
driver does ends with it. Source: net-protocol 3, 4.1, 8.7 and 9.2.
"""

from __future__ import annotations

import sys
import time

from .. import const
from ..cancel import wait_readable
from ..errors import (
    AccessDenied,
    DeviceBusy,
    DeviceIOError,
    Invalid,
    NoMemory,
    SaneError,
    status_of,
)
from ..transport.sockets import Deadline
from ..wire import messages
from ..wire.codec import ProtocolError
from ..wire.protocol import ADVERTISED, NEW, Server
from . import CLIENT, ERROR, MESSAGE, descriptors
from .frames import Frame
from .users import challenge
from .watch import comes_back

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..backend import DeviceInfo
    from ..handle import Handle
    from ..transport.streams import ByteStream
    from ..wire.messages import Request
    from ..wire.records import Record
    from .dataport import OpensPorts, Port
    from .site import Shares, Site

    Answers = dict[type, tuple[Callable[[Any, Any], Record], Callable[[Any, Any, int], Record]]]

RECEIVE_BYTES = 1 << 16
TAIL_SECONDS = 1.0  # for the end marker of a frame to be taken by the kernel
STOP_SECONDS = 5.0  # for a driver to end a read after cancel; then the client does not wait for it
# The reference client loses a reply that it receives together with the word before it (4.1).
AUTHORIZED_SECONDS = 0.05
BYTE_ORDER = messages.LITTLE_ENDIAN if sys.byteorder == "little" else messages.BIG_ENDIAN
LARGEST_HANDLE = 0x7FFFFFFF
FIRST_GUESS_SECONDS = 0.25  # that a wrong password costs; each further one twice as much
MOST_GUESSES = 4


class OpenDevice:
    """A device that the client has open, and the frame that was started last."""

    def __init__(self, handle: Handle, name: str) -> None:
        self.handle = handle
        self.name = name
        self.frame: Frame | None = None

    def rests(self) -> bool:
        """Tell whether its driver finishes or closes."""
        return self.handle.cancel_request.is_undisturbed


class Conversation:
    """Serves the client at the other end of *stream* until it leaves or breaks the rules.

    data_ports: opens a listener for each frame. private: requests that clients in the network do
    not have, and their answers. wrong_passwords: how many the client has tried.
    listed: the devices that it was told of, by name.
    """

    def __init__(
        self,
        stream: ByteStream,
        data_ports: OpensPorts,
        site: Site,
        private: Answers | None = None,
    ) -> None:
        self._stream = stream
        self._data_ports = data_ports
        self._site = site
        self._log = site.log
        private = private or {}
        self._answers: Answers = {**ANSWERS, **private}
        found: Any = private  # requests, whose classes have opcodes
        opcodes = {request.opcode: request for request in found}
        self._protocol = Server(requests={**messages.REQUESTS, **opcodes})
        self._buffer = memoryview(bytearray(RECEIVE_BYTES))
        self._deadline: Deadline | None = None  # for the rest of a request that has begun
        self._devices: dict[int, OpenDevice] = {}
        self._lost: list[OpenDevice] = []  # closed by the client, but not yet by their drivers
        self._last_handle = -1
        self._registry: Any = None
        self._shares: Shares | None = None
        self._was_authorized = False  # in the request that is being carried out
        self.wrong_passwords = 0
        self.listed: dict[str, DeviceInfo] = {}  # what the client was told, by name
        self._watch = site.watch(stream.fileno(), self._interrupt, self._rests)

    def run(self) -> None:
        """Serve until the session has ended; release() has to follow, whatever this raises."""
        try:
            while (request := self._next()) is not None:
                if isinstance(request, messages.Exit):
                    break
                self._send(self._answer(request), request)
        except ProtocolError as exc:
            self._log(CLIENT, f"{self._stream.peer}: not served any more: {exc}")
        except DeviceIOError as exc:
            self._log(CLIENT, str(exc))

    # Requests

    def _next(self) -> Request | None:
        """Return the next request, None when the client has left."""
        while True:
            request = self._protocol.request()
            if request is not None:
                self._deadline = None
                return request
            seconds = self._patience()
            if not wait_readable((self._stream.fileno(),), seconds):
                if self._deadline is None and self._is_streaming():
                    continue
                raise DeviceIOError(f"{self._stream.peer}: silent for too long")
            n = self._stream.receive_now(self._buffer)
            if n == 0:
                return None
            if n > 0:
                self._protocol.receive(self._buffer[:n])

    def _patience(self) -> float | None:
        """Return how long to wait for more bytes; None for ever."""
        settings = self._site.settings
        if self._protocol.has_begun or self._protocol.state == NEW:
            if self._deadline is None:
                self._deadline = Deadline(settings.request_timeout)
            return self._deadline.left()
        return settings.idle_timeout or None

    def _is_streaming(self) -> bool:
        frames = (device.frame for device in self._devices.values())
        return any(frame is not None and not frame.is_over for frame in frames)

    def _send(self, data: bytes, request: Request) -> None:
        if self._was_authorized and not isinstance(request, messages.Open):
            time.sleep(AUTHORIZED_SECONDS)
        self._was_authorized = False
        self._stream.send(data, self._site.settings.request_timeout)

    def _answer(self, request: Request) -> bytes:
        """Carry out one request; whatever it meets becomes a status in the reply."""
        carry_out, refuse = self._answers[request.__class__]
        self._watch.enter()
        try:
            return self._protocol.reply(carry_out(self, request))
        except (ProtocolError, SystemExit):
            raise
        except BaseException as exc:
            level = MESSAGE if isinstance(exc, SaneError) else ERROR
            self._log(level, f"{request.__class__.__name__}: {exc.__class__.__name__}: {exc}")
            return self._protocol.reply(refuse(self, request, status_of(exc)))
        finally:
            self._watch.leave()

    def device(self, handle: int) -> OpenDevice:
        """Return an open device; raises Invalid if there is none of this number."""
        device = self._devices.get(handle)
        if device is None:
            raise Invalid(f"handle {handle} is not open")
        return device

    def _init(self, request: messages.Init) -> Record:
        self._log(CLIENT, f"{self._stream.peer}: user {request.user or 'unknown'}")
        self._registry = self._site.registry(self._authorize)
        self._shares = self._site.shares()
        return messages.InitReply(const.STATUS_GOOD, ADVERTISED)

    # Devices

    def shared(self) -> list[DeviceInfo]:
        """List the devices that the client may open."""
        assert self._shares is not None
        lists = self._site.lists
        if lists is None or self._devices:  # a device in use may be listed by its user alone
            found = self._registry.get_devices(not self._site.allow_network)
        else:
            found = lists.devices(lambda: self._registry.get_devices(not self._site.allow_network))
        shared = [device for device in found if self._shares.is_shared(device)]
        self.listed.update((device.name, device) for device in shared)
        return shared

    def _get_devices(self, request: messages.GetDevices) -> Record:
        listed = [messages.Device(d.name, d.vendor, d.model, d.type) for d in self.shared()]
        while descriptors.device_list_bytes(listed) > descriptors.MOST_BYTES:
            listed.pop()
        return messages.DevicesReply(const.STATUS_GOOD, listed)

    def _open(self, request: messages.Open) -> Record:
        name = request.name
        if name is None:
            raise Invalid("open: no device name")
        if name == "":
            first = self.shared()[:1]
            if not first:
                raise Invalid("open: there is no device")
            name = first[0].name
        if len(self._devices) >= self._site.settings.max_handles:
            raise NoMemory(f"max_handles: {len(self._devices)} devices are open")
        assert self._shares is not None
        backend = self._shares.backend_of(name)
        self._check_user(backend)
        self._watch.start()
        if name not in self.listed:
            self._shares.check_reach(name, self._registry.reaches)
        handle = self._registry.open(name)
        number = self._next_handle()
        self._devices[number] = OpenDevice(handle, name)
        self._log(MESSAGE, f"{self._stream.peer}: {name} is open as handle {number}")
        return messages.OpenReply(const.STATUS_GOOD, number, None)

    def _next_handle(self) -> int:
        """Return a number that was not given out lately, and is free."""
        while True:
            self._last_handle = (self._last_handle + 1) & LARGEST_HANDLE
            if self._last_handle not in self._devices:
                return self._last_handle

    def _close(self, request: messages.Close) -> Record:
        device = self._devices.get(request.handle)
        if device is not None:
            if not self._stop_frame(device, device.handle.close):
                self._lost.append(device)
            del self._devices[request.handle]  # until then the watch knows that it is put to rest
        return messages.Acknowledgement(0)

    def _stop_frame(self, device: OpenDevice, work: Callable[[], None]) -> bool:
        """End the frame under way, then do *work* with the handle.

        Returns False if the driver does not come back: the frame's thread does it when it does.
        """
        frame = device.frame
        if frame is not None:
            seconds = 0.0 if frame.is_left else STOP_SECONDS  # it was waited for already
            if not frame.stop(seconds) and frame.leave(work):
                self._log(ERROR, f"{device.name}: its driver does not come back after cancel")
                return False
        device.frame = None
        work()
        return True

    # Authorization

    def _check_user(self, backend: str) -> None:
        users = self._site.users()
        if not users.protects(backend):
            return
        resource, random = challenge(backend)
        user, password = self._authorize(resource)
        encoded = [text.encode("utf-8", "surrogateescape") for text in (user, password)]
        if not users.check(backend, random, *encoded):
            self._log(CLIENT, f"{self._stream.peer}: wrong user or password for {backend}")
            self._slow_down()
            raise AccessDenied(f"{backend}: wrong user or password")

    def _slow_down(self) -> None:
        """Make guessing slow: each wrong password costs more time, and the last the connection."""
        self.wrong_passwords += 1
        self._stream.wait_for_end(FIRST_GUESS_SECONDS * 2.0 ** (self.wrong_passwords - 1))
        if self.wrong_passwords >= MOST_GUESSES:
            raise ProtocolError(f"{self.wrong_passwords} wrong passwords")

    def _authorize(self, resource: str) -> tuple[str, str]:
        """Ask the client for a user and a password; none if it does something else instead.

        A backend may ask too, while it opens, starts or sets an option: its driver is waiting.
        """
        try:
            challenge = self._protocol.challenge(resource)
        except ProtocolError as exc:
            raise AccessDenied(f"{resource}: {exc}") from exc
        self._stream.send(challenge, self._site.settings.request_timeout)
        request = self._next()
        if request is None or isinstance(request, messages.Exit):
            raise ProtocolError("the client left when it was asked for a password")
        if not isinstance(request, messages.Authorize):
            return "", ""
        self._stream.send(self._protocol.acknowledge(), self._site.settings.request_timeout)
        self._was_authorized = True
        return request.user or "", request.password or ""

    # Options and parameters

    def _get_descriptors(self, request: messages.GetDescriptors) -> Record:
        device = self._devices.get(request.handle)
        if device is None:
            return messages.DescriptorsReply([])
        with Turn(device):
            found = descriptors.describe(device.handle)
        return messages.DescriptorsReply(found)

    def _control(self, request: messages.ControlOption) -> Record:
        device = self.device(request.handle)
        with Turn(device):
            if request.action != const.ACTION_GET_VALUE:
                self._leave_frame(device)
            return descriptors.control(device.handle, request)

    @staticmethod
    def _leave_frame(device: OpenDevice) -> None:
        """Forget a frame that the client has; raises Invalid before it has all of it.

        A short frame was sent at once: a change would have the client take it for another.
        """
        frame = device.frame
        if frame is None:
            return
        if not (frame.is_fetched() and frame.end(TAIL_SECONDS)):
            raise Invalid("a frame is on its way to the client")
        device.frame = None

    def _get_parameters(self, request: messages.GetParameters) -> Record:
        """Answer with the parameters of the frame that the client is reading, if it does.

        A short frame is sent before the client asks: its driver already thinks of the next.
        """
        device = self.device(request.handle)
        frame = device.frame
        p = device.handle.parameters() if frame is None else frame.parameters
        return messages.ParametersReply(
            const.STATUS_GOOD,
            messages.Parameters(
                p.format, p.last_frame, p.bytes_per_line, p.pixels_per_line, p.lines, p.depth
            ),
        )

    # The scan

    def _start(self, request: messages.Start) -> Record:
        return self.start(self.device(request.handle))

    def start(self, device: OpenDevice, mime: str = "") -> Record:
        """Begin a frame, or with *mime* a page as the device sends it; return the reply."""
        frame = device.frame
        if frame is not None and not (frame.is_over and frame.end(TAIL_SECONDS)):
            raise DeviceBusy(f"{device.name}: a frame is under way")
        device.frame = None
        port = self._data_ports.open()
        try:
            device.handle.start(mime)
            try:
                device.frame = self._begin_frame(device.handle, port)
            except BaseException:
                device.handle.cancelled()
                raise
        except BaseException:
            port.close()
            raise
        return messages.StartReply(const.STATUS_GOOD, port.number, BYTE_ORDER, None)

    def _begin_frame(self, handle: Handle, port: Port) -> Frame:
        frame = Frame(handle, handle.parameters(), port, self._site)
        frame.begin()
        return frame

    def _cancel(self, request: messages.Cancel) -> Record:
        device = self._devices.get(request.handle)
        if device is not None:
            self._stop_frame(device, device.handle.cancelled)
        return messages.Acknowledgement(0)

    # The end

    def _interrupt(self) -> None:
        """Ask all drivers to return: the client has gone. Called in the thread of the watch."""
        self._log(MESSAGE, f"{self._stream.peer}: vanished")
        for device in list(self._devices.values()):
            device.handle.cancel_request.set()

    def _rests(self) -> bool:
        """Tell whether a driver puts its device to rest. Called in the thread of the watch."""
        return any(device.rests() for device in [*self._devices.values(), *self._lost])

    def release(self) -> None:
        """Close the connection and all devices; what was released is not released again."""
        self._watch.finish()
        self._stream.close()
        are_back = True
        while self._devices:
            _, device = self._devices.popitem()
            if self._comes_back(device):
                device.handle.close()
            else:
                are_back = False
        for device in self._lost:
            are_back &= self._comes_back(device)
        registry, self._registry = self._registry, None
        if registry is not None and are_back:
            registry.exit()

    @staticmethod
    def _comes_back(device: OpenDevice) -> bool:
        """End the frame under way; return False if the driver is lost in it for good."""
        return device.frame is None or comes_back(device.frame.stop, device.rests)

    # Replies that say no

    def _refuse(self, request: Request, status: int) -> Record:
        return self._protocol.refusal(status)

    def _refuse_init(self, request: Request, status: int) -> Record:
        return messages.InitReply(status, 0)

    def _refuse_devices(self, request: Request, status: int) -> Record:
        return messages.DevicesReply(status, [])

    def _refuse_descriptors(self, request: Request, status: int) -> Record:
        return messages.DescriptorsReply([])

    def _refuse_parameters(self, request: Request, status: int) -> Record:
        return messages.ParametersReply(status, messages.Parameters(0, False, 0, 0, 0, 0))

    def _refuse_control(self, request: Any, status: int) -> Record:
        return descriptors.refuse(request, status)

    def _refuse_start(self, request: Request, status: int) -> Record:
        return messages.StartReply(status, 0, BYTE_ORDER, None)

    def _acknowledge(self, request: Request, status: int) -> Record:
        return messages.Acknowledgement(0)


class Turn:
    """While it lasts, the handle of *device* is the session's alone.

    Raises DeviceBusy where its driver is lost in a frame that was cancelled.
    """

    def __init__(self, device: OpenDevice) -> None:
        self._frame = device.frame
        self._name = device.name

    def __enter__(self) -> None:
        if self._frame is not None:
            if self._frame.is_left:
                raise DeviceBusy(f"{self._name}: its driver has not come back after cancel")
            self._frame.pause()

    def __exit__(self, *exc: object) -> None:
        if self._frame is not None:
            self._frame.resume()


# Who carries out a request, and the reply if that fails.
ANSWERS: Answers = {
    messages.Init: (Conversation._init, Conversation._refuse_init),
    messages.GetDevices: (Conversation._get_devices, Conversation._refuse_devices),
    messages.Open: (Conversation._open, Conversation._refuse),
    messages.Close: (Conversation._close, Conversation._acknowledge),
    messages.GetDescriptors: (Conversation._get_descriptors, Conversation._refuse_descriptors),
    messages.ControlOption: (Conversation._control, Conversation._refuse_control),
    messages.ControlOption2: (Conversation._control, Conversation._refuse_control),
    messages.GetParameters: (Conversation._get_parameters, Conversation._refuse_parameters),
    messages.Start: (Conversation._start, Conversation._refuse_start),
    messages.Cancel: (Conversation._cancel, Conversation._acknowledge),
}
