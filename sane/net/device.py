"""One open remote device: options, parameters and frames by way of its control connection.

Source: net-protocol 7.7 to 7.12.
"""

from __future__ import annotations

import sys

from .. import const
from ..backend import Device, Parameters
from ..cancel import NeverCancelled
from ..errors import Cancelled, DeviceIOError, SaneError
from ..param import line_bytes
from ..transport import PORT_MAX
from ..transport.streams import ByteStream
from ..wire import messages
from .connection import refused
from .options import RemoteOptions, text_of
from .stream import FrameStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..option import Option
    from ..wire.messages import Request
    from .connection import Authorize, Connection

DATA_SECONDS = 30.0  # for the connection to the data port, unless connect_timeout is set
DEEP = 16  # bits per sample that have a byte order
INFO_BITS = const.INFO_INEXACT | const.INFO_RELOAD_OPTIONS | const.INFO_RELOAD_PARAMS
FORMATS = range(const.FRAME_GRAY, const.FRAME_BLUE + 1)
SAMPLE_BITS = (1, 8, DEEP)  # the depths whose lines have a length by the standard (4.3.8)


class NetDevice(Device):
    """A device of a server, open under *number* there.

    authorize: the frontend's callback. data_seconds: for the connection to the data port.
    """

    may_raise_sigpipe = False
    vouches_for_parameters = True  # it is not for us to judge what the server says
    status_without_frame = Cancelled  # as the original's (7.10)
    frame_bytes = -1  # a frame ends by its marker, not by a count of bytes

    def __init__(
        self,
        connection: Connection,
        number: int,
        authorize: Authorize,
        data_seconds: float | None = None,
    ) -> None:
        self.connection = connection
        self.number = number
        self.authorize = authorize
        self.data_seconds = data_seconds or DATA_SECONDS
        self.frame: FrameStream | None = None
        self._data: ByteStream | None = None
        self._parameters: Parameters | None = None
        self.cancel_request = NeverCancelled()  # type: ignore[assignment]
        self.options = RemoteOptions(self.fetch_options(), connection.host)

    def call(self, request: Request, **how: Any) -> Any:
        """Send a request and return its reply, whatever status it has."""
        return self.connection.call(request, self.cancel_request, authorize=self.authorize, **how)

    # Options

    def settle_options(self) -> None:
        """Nothing depends on anything here."""

    def fetch_options(self) -> list[messages.Descriptor]:
        """Return the descriptors as they are now at the server."""
        return list(self.call(messages.GetDescriptors(self.number)).descriptors)

    def control(self, option: Option, action: int, data: bytes) -> tuple[bytes, int]:
        """Return what CONTROL_OPTION left as the value, and the info bits."""
        request = messages.ControlOption(
            self.number, option.index, action, option.type, len(data), data
        )
        if action == const.ACTION_SET_AUTO:
            request.value_type = 0
        reply = self.call(request)
        if reply.status:
            raise refused(reply.status, f"option {option.name}: refused by the server")
        if action == const.ACTION_SET_AUTO:
            return b"", reply.info & INFO_BITS
        info = reply.info & INFO_BITS
        if reply.value_size == len(data) == len(reply.value):
            if option.type != const.TYPE_STRING:
                return reply.value, info
            if action == const.ACTION_SET_VALUE and b"\0" not in reply.value:
                return text_of(data), info  # what took effect is longer: what was sent is kept
            return text_of(reply.value), info
        if action == const.ACTION_GET_VALUE:
            raise DeviceIOError(
                f"option {option.name}: {len(reply.value)} bytes came, not {len(data)}"
            )
        self.debug(1, "option %s: the server returned another size", option.name)
        return data, info

    # The scan

    def parameters(self) -> Parameters:
        if self._parameters is not None:
            return self._parameters
        return parameters_of(self.call(messages.GetParameters(self.number)))

    def start(self) -> None:
        self._leave_frame()
        connection, cancel = self.connection, self.cancel_request
        # Nothing comes between, not even a cancel of another device, which has a thread of its
        # own: a server answers nothing else before it has the data connection.
        with connection.held(cancel):
            connection.finish_pending(cancel)
            reply: Any = connection.exchange(
                messages.Start(self.number), cancel, authorize=self.authorize
            )
            if reply.status:
                raise refused(reply.status, "the server did not start")
            if not 0 < reply.port <= PORT_MAX:
                raise DeviceIOError(f"{connection.host}: data port {reply.port}")
            # Asked before the data connection is there, it is answered before a server that fills
            # that connection can get stuck; and one that never accepts it is noticed.
            described = connection.exchange(
                messages.GetParameters(self.number),
                cancel,
                meanwhile=lambda: self._connect(reply.port),
            )
        assert self._data is not None
        self._parameters = parameters_of(described)
        little = reply.byte_order == messages.LITTLE_ENDIAN
        differs = little != (sys.byteorder == "little")
        self.frame = FrameStream(
            self._data.fileno(),
            cancel.fd,
            connection.stream.fileno(),
            differs and self._parameters.depth == DEEP,
        )
        self.descriptor = self._data.fileno()
        self.reader = self.frame.capsule()

    def _connect(self, port: int) -> None:
        """Make the data connection, to the address that the control connection leads to."""
        family, (address, _, *rest) = self.connection.stream.peer_address()
        peer = f"{self.connection.host} data port {port}"
        data = ByteStream.to_address(
            (family, (address, port, *rest)), peer, self.data_seconds, self.cancel_request
        )
        try:
            data.end_sending()
        except SaneError:
            data.close()
            raise
        self._data = data

    def set_non_blocking(self, non_blocking: bool) -> None:
        if self.frame is not None:
            self.frame.set_non_blocking(non_blocking)

    def read_into(self, view: memoryview) -> int | None:
        if self.frame is None:
            raise DeviceIOError("no frame is being transferred")
        return self.frame.read_into(view)

    def frame_ended(self) -> None:
        params, frame = self._parameters, self.frame
        if frame is not None and params is not None and frame.received < params.frame_bytes:
            text = "the frame ended after %d of %d bytes"
            self.debug(1, text, frame.received, params.frame_bytes)
        self._leave_frame()

    def reader_failure(self) -> str:
        return "" if self.frame is None else self.frame.explain()

    def _leave_frame(self) -> None:
        data, self._data = self._data, None
        self.frame = self.reader = self.descriptor = self._parameters = None
        if data is not None:
            data.close()

    def _stop(self) -> None:
        """Cancel at the server, then close the data connection: in this order (5.4)."""
        drain = -1 if self._data is None else self._data.fileno()
        self.connection.tell(messages.Cancel(self.number), drain)
        self._leave_frame()

    def finish(self, aborted: bool) -> None:
        self._stop()

    def close(self) -> None:
        self._leave_frame()
        self.connection.tell(messages.Close(self.number))


def parameters_of(reply: Any) -> Parameters:
    """Return the parameters of a reply; raises the status that it has instead.

    Raises DeviceIOError for what no frame can have: frontends size their buffers by the numbers,
    and take a line for as long as its pixels make it.
    """
    if reply.status:
        raise refused(reply.status, "the server gave no parameters")
    p = reply.parameters
    needed = 0
    if p.depth in SAMPLE_BITS and p.format in FORMATS:
        channels = 3 if p.format == const.FRAME_RGB else 1
        needed = line_bytes(p.pixels_per_line, channels, p.depth)
    if (
        p.format not in FORMATS
        or p.lines < -1
        or min(p.pixels_per_line, p.depth) < 0
        or p.bytes_per_line < needed
    ):
        raise DeviceIOError(
            f"parameters that no frame has: format {p.format}, {p.pixels_per_line} pixels and "
            f"{p.bytes_per_line} bytes a line, {p.lines} lines, depth {p.depth}"
        )
    return Parameters(
        p.format,
        p.pixels_per_line,
        p.lines,
        p.depth,
        last_frame=p.last_frame,
        bytes_per_line=p.bytes_per_line,
    )
