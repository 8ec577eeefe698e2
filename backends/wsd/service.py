"""A WS-Scan service and what it is asked, over HTTP.

Source: specification escl 9.3 and 9.7.
"""

from __future__ import annotations

from ...errors import DeviceIOError
from . import capabilities, mtom, soap, status, ticket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...cancel import Cancels
    from ...debug import Debug
    from ...transport.http import Http, Response
    from ...transport.network import Network
    from ...transport.url import Url
    from .._driverless.xml import Element
    from .capabilities import ScanCapabilities
    from .status import Status
    from .ticket import JobName

INFO_SECONDS, JOB_SECONDS, END_SECONDS = 20.0, 30.0, 10.0
PAGE_SECONDS, STALL_SECONDS = 180.0, 60.0  # to the first byte of an image, and between two
CONNECT_SECONDS = 10.0
ANSWER_BYTES = 1 << 20
INLINE_BYTES = 64 << 20  # of a message with an image in it
PIECE_BYTES = 1 << 16
FAILED = 400
# The devices expect to be asked as Windows does it.
HEADERS = (
    ("Content-Type", "application/soap+xml"),
    ("Cache-Control", "no-cache"),
    ("Pragma", "no-cache"),
    ("User-Agent", "WSDAPI"),
)


class Fault(DeviceIOError):
    """The device has answered with a fault, whose *code* says which."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code} {reason}".rstrip())
        self.code = code
        self.reason = reason


class Service:
    """The service at *url*; makes clients, one for each thread."""

    def __init__(self, url: Url, network: Network, debug: Debug) -> None:
        self.url = url
        self.debug = debug
        self._network = network

    def client(self, cancel: Cancels | None) -> Client:
        """Return a client whose waits *cancel* ends."""
        from ...transport.tls import Trust

        http = self._network.http(
            self.url,
            cancel=cancel,
            trust=Trust.anybody("1.0"),
            connect_seconds=CONNECT_SECONDS,
        )
        return Client(self, http, self._network.random)


class Client:
    """Asks a service; one thread at a time. What it answers with a fault is raised as Fault."""

    def __init__(self, service: Service, http: Http, random: Callable[[int], bytes]) -> None:
        self._service = service
        self._http = http
        self._random = random

    @property
    def is_live(self) -> bool:
        """There is a device at the other end that needs time."""
        return self._http.is_live

    def capabilities(self) -> ScanCapabilities:
        """Return what the device can do."""
        return capabilities.read(self._told("GetScannerElements", capabilities.question()))

    def status(self) -> Status:
        """Return how the device is; where it does not say so nothing is known, and that is told."""
        question = capabilities.elements_question(("ScannerStatus",))
        try:
            return status.read(self._told("GetScannerElements", question))
        except DeviceIOError as exc:
            self._service.debug(1, "%s: %s", self._service.url, exc)
            return status.Status()

    def create(self, body: str) -> JobName:
        """Have a job accepted; *body* is of ticket.create."""
        return ticket.created(self._told("CreateScanJob", body, JOB_SECONDS))

    def cancel(self, job: JobName) -> None:
        """End *job*."""
        self._told("CancelJob", ticket.cancel(job), END_SECONDS)

    def image(self, job: JobName) -> Iterator[bytes]:
        """Ask for the next image of *job* and yield it as it comes; Fault before the first piece.

        An image that is cut off is yielded as far as it came, then the failure is raised.
        """
        response = self._asked("RetrieveImage", ticket.retrieve(job), PAGE_SECONDS)
        try:
            boundary = mtom.boundary_of(response.header("content-type"))
            if response.status >= FAILED or not boundary:
                data, image = mtom.without_image(response.read(INLINE_BYTES))
                self._message(response, data)
                if not image:
                    raise DeviceIOError(f"{response.peer}: an answer without an image")
                yield image
                return
            yield from _images(response, mtom.MtomReader(boundary))
        finally:
            response.close()

    def _told(self, operation: str, body: str, seconds: float = INFO_SECONDS) -> Element:
        response = self._asked(operation, body, seconds)
        try:
            return self._message(response, response.read(ANSWER_BYTES, seconds)).body
        finally:
            response.close()

    def _asked(self, operation: str, body: str, seconds: float) -> Response:
        url = self._service.url
        plain = type(url)(url.scheme, url.host.partition("%")[0], url.port, url.path)
        action = f"{soap.SCAN}/{operation}"
        identity = soap.message_id(self._random(16))
        data = soap.envelope(action, identity, str(plain), body)
        path = url.path or "/"
        return self._http.request(
            "POST", path, data, HEADERS, answer_seconds=seconds, stall_seconds=STALL_SECONDS
        )

    def _message(self, response: Response, data: bytes) -> soap.Message:
        """Return the message that an answer is; raises Fault, also for one with status 200."""
        try:
            message = soap.read(data)
        except DeviceIOError as exc:
            if response.status >= FAILED:
                text = f"{response.peer}: HTTP {response.status} {response.reason}".rstrip()
                raise DeviceIOError(text) from exc
            raise DeviceIOError(f"{response.peer}: {exc}") from exc
        if message.fault:
            raise Fault(message.fault, message.reason)
        if response.status >= FAILED:
            raise Fault(f"HTTP {response.status}", response.reason)
        return message


def _images(response: Response, reader: mtom.MtomReader) -> Iterator[bytes]:
    """Yield the image in an answer of several parts."""
    buffer = memoryview(bytearray(PIECE_BYTES))
    response.most = 1 << 30
    while n := response.read_into(buffer):
        yield from reader.feed(bytes(buffer[:n]))
    yield from reader.end()
    if reader.message is not None and reader.message.fault:
        raise Fault(reader.message.fault, reader.message.reason)
