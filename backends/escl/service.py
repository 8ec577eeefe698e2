"""The eSCL service of one scanner: its resources, asked for over HTTP as devices want it.

What to ask when is job.py's. A client belongs to one thread; a service makes as many as are
needed, since each request has a connection of its own. Source: specification escl 2.1 to 2.3.
"""

from __future__ import annotations

from ...errors import AccessDenied, DeviceIOError, SaneError
from ...transport.sockets import Deadline
from ...transport.url import Url
from . import status
from .location import job_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...cancel import Cancels
    from ...debug import Debug
    from ...transport.http import Http, Response
    from .quirks import Quirks
    from .status import Status

    Credentials = Callable[[str], tuple[str, str]]
    Connect = Callable[[Url, Cancels | None, str, Credentials], Http]

CAPABILITIES, STATUS, JOBS = "ScannerCapabilities", "ScannerStatus", "ScanJobs"
INFO_SECONDS = 20.0  # for capabilities and status
JOB_SECONDS = 30.0  # for a job to be accepted
END_SECONDS = 30.0  # for a DELETE
CONTENT_TYPE = ("Content-Type", "text/xml")
ANSWER_BYTES = 1 << 20

OK, MULTIPLE, BUSY = 200, 300, 503


class Limits:
    """How long pages may take and how large they may be: settings of a scanner.

    page_seconds: to the first byte of a page. stall_seconds: between two pieces of it.
    document_bytes, pages: the most of a document, and of a job.
    """

    def __init__(self) -> None:
        self.page_seconds = 180.0
        self.stall_seconds = 60.0
        self.document_bytes = 1 << 30
        self.pages = 500


class Service:
    """The service at *root*, whose path ends with a slash; *connect* makes clients of it.

    connect(base, cancel, host_header, credentials) returns an Http. quirks: of the device.
    """

    pause_seconds = 1.0  # before a service that starts is asked again

    def __init__(
        self,
        root: Url,
        connect: Connect,
        debug: Debug,
        limits: Limits | None = None,
    ) -> None:
        self.root = root
        self.debug = debug
        self.limits = limits or Limits()
        self._connect = connect
        self.quirks: Quirks | None = None

    @property
    def is_local(self) -> bool:
        """It is on this machine: a proxy of a USB device."""
        from ...transport.http import is_loopback

        return is_loopback(self.root.host)

    def client(self, cancel: Cancels | None, credentials: Credentials) -> Client:
        """Return a client for one thread; *cancel* ends its waits."""
        return Client(self, lambda host: self._connect(self.root, cancel, host, credentials))


class Client:
    """Asks a service; one thread at a time."""

    def __init__(self, service: Service, connect: Callable[[str], Http]) -> None:
        self.service = service
        self._connect = connect
        self._http = connect(self._host())

    def _host(self) -> str:
        """Return the Host header, "" for the usual one."""
        quirks, root = self.service.quirks, self.service.root
        if quirks is None or quirks.host != "port" or self.service.is_local:
            return ""
        plain = Url(root.scheme, root.host, root.port).authority
        return plain if plain.endswith(f":{root.port}") else f"{plain}:{root.port}"

    @property
    def key(self) -> str:
        """Who was behind the last encrypted connection."""
        return self._http.key

    @property
    def is_live(self) -> bool:
        """There is a device at the other end that needs time."""
        return self._http.is_live

    def capabilities(self) -> Response:
        """Return the capabilities' answer; the service follows where it came from.

        Raises DeviceIOError for an answer that has none.
        """
        deadline = Deadline(INFO_SECONDS)
        response = self._fetch(CAPABILITIES)
        while response.status == BUSY and deadline.left():  # a USB device that starts
            self._http.pause(self.service.pause_seconds)
            response = self._fetch(CAPABILITIES)
        if response.status != OK:
            raise refused(response, "capabilities")
        path = response.url.path.partition("?")[0]
        if path.endswith(CAPABILITIES):
            url = response.url
            root = Url(url.scheme, url.host, url.port, path.removesuffix(CAPABILITIES))
            if str(root) != str(self.service.root):
                self.service.debug(2, "%s: goes on at %s", self.service.root, root)
                self.service.root = root
                self._http = self._connect(self._host())
        return response

    def _fetch(self, resource: str) -> Response:
        return self._http.fetch("GET", resource, most=ANSWER_BYTES, seconds=INFO_SECONDS)

    def status(self) -> Status | None:
        """Return how the scanner is; None where it does not say so: that alone is no failure."""
        try:
            response = self._fetch(STATUS)
            if response.status != OK:
                raise refused(response, "status")
            return status.read(response.body)
        except AccessDenied:
            raise
        except DeviceIOError as exc:
            self.service.debug(1, "%s: %s", self.service.root, exc)
            return None

    def post(self, settings: bytes) -> Response:
        """Ask for a job; return the answer, whatever it is."""
        quirks = self.service.quirks
        http = self._http
        if quirks is not None and quirks.host == "localhost" and not self.service.is_local:
            http = self._connect("localhost")
        response = http.request("POST", JOBS, settings, (CONTENT_TYPE,), answer_seconds=JOB_SECONDS)
        if OK <= response.status < MULTIPLE and response.header("location"):
            response.close()  # some break off the rest of the answer
            return response
        try:
            response.read(ANSWER_BYTES, JOB_SECONDS)
        except DeviceIOError as exc:
            self.service.debug(1, "%s: %s", self.service.root, exc)
        return response

    def job_url(self, response: Response) -> str:
        """Return where the job is that *response*, to a POST, tells of."""
        url = response.url
        path = job_path(response.header("location"), url)
        return str(Url(url.scheme, url.host, url.port, path))

    def document(self, job: str) -> Response:
        """Ask for the next page of *job*; its body is to be read."""
        limits = self.service.limits
        response = self._http.request(
            "GET",
            f"{job}/NextDocument",
            answer_seconds=limits.page_seconds,
            stall_seconds=limits.stall_seconds,
        )
        response.most = limits.document_bytes
        return response

    def drain(self, job: str) -> None:
        """Ask for a page that there will not be: some scanners are idle only then."""
        response = self._http.request("GET", f"{job}/NextDocument", answer_seconds=JOB_SECONDS)
        response.close()

    def delete(self, job: str, seconds: float = END_SECONDS) -> None:
        """Tell that *job* is over; its answer does not matter. Raises what the connection does."""
        self._http.fetch("DELETE", job, seconds=seconds, follow=False)


def refused(response: Response, what: str) -> SaneError:
    """Return the error for an answer that is not what was asked for."""
    text = f"{response.peer}: {what}: HTTP {response.status} {response.reason}".rstrip()
    if response.status == 403:
        return AccessDenied(f"{text} (is scanning from the network allowed in its settings?)")
    if response.status in (404, 405):
        text += " (is scanning from the network, eSCL or AirPrint, allowed in its settings?)"
    return DeviceIOError(text)
