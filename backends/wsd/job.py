"""One WS-Scan job: asked for, image after image, until the device has no more.

                 CreateScanJob                RetrieveImage
    ASKING ------------------------> RUNNING ---------------> RUNNING, the next image
      |  warming up: again, 30 times    |  a fault: what the status and the fault say
      v                                 v  a flatbed: after its image
    FAILED                            ENDED; CancelJob where it was stopped before its end

Source: specification escl 9.5 to 9.7.
"""

from __future__ import annotations

from ...errors import Cancelled, DeviceIOError, NoDocs, SaneError
from .._driverless.job import Job as BackgroundJob
from . import status, ticket
from .service import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...debug import Debug
    from .._driverless.request import Request
    from .service import Service
    from .ticket import JobName

WARMING_TRIES, TEMPORARY_TRIES = 30, 3
MOST_PAGES = 500  # of a job: a feeder that never empties is none
FOR_RICOH = 100  # images, where a device does not understand "until the feeder is empty"


class Job(BackgroundJob):
    """One job of *service*; *format*: as the device calls it; *most_images*: 0 for all."""

    pause_seconds = 1.0  # between two tries

    def __init__(
        self, request: Request, service: Service, debug: Debug, *, format: str, most_images: int
    ) -> None:
        super().__init__(request, debug)
        import _thread

        self._service = service
        self._body = ticket.create(request, format, most_images)
        self._client = service.client(self.broken)
        self._lock = _thread.allocate_lock()
        self._name: JobName | None = None  # until the device is told that it is over, or says so
        self._pages = 0

    def work(self) -> None:
        self._ask()
        while not self.stop.is_set() and self._image():
            self._pages += 1
            if not self.request.is_feeder:
                self._forget()
                return
            if self._pages == (self.request.most_pages or MOST_PAGES):
                return
        if self.stop.is_set():
            raise Cancelled

    def _forget(self) -> JobName | None:
        """Return the job's name once: whoever gets it tells the device, if it has to be told."""
        with self._lock:
            name, self._name = self._name, None
            return name

    def _pause(self) -> None:
        self.stop.wait(self.pause_seconds if self._client.is_live else 0.0)

    def _ask(self) -> None:
        """Have the job accepted; raises why it is not."""
        tries = 0
        while True:
            try:
                name = self._client.create(self._body)
            except Fault as fault:
                state = self._client.status()
                tries += 1
                if not self._is_worth(fault, state, tries):
                    raise self._meaning(fault, state) from fault
                self.debug(2, "%s: %s, asked again", self._service.url, fault)
                self._pause()
                continue
            with self._lock:
                self._name = name
            return

    def _is_worth(self, fault: Fault, state: status.Status, tries: int) -> bool:
        """Tell whether to ask again, after *tries*."""
        if isinstance(self._meaning(fault, state), NoDocs) or self.stop.is_set():
            return False
        if state.is_warming:
            return tries < WARMING_TRIES
        return fault.code == status.TEMPORARY and tries <= TEMPORARY_TRIES

    def _meaning(self, fault: Fault, state: status.Status) -> SaneError:
        is_feeder = self.request.is_feeder
        return status.meaning(fault.code, fault.reason, state, is_feeder=is_feeder)

    def _image(self) -> bool:
        """Deliver the next image; return whether there was one."""
        name, tries = self._name, 0
        if name is None:  # told to be over by another thread
            raise Cancelled
        while True:
            try:
                return self._deliver(name)
            except Fault as fault:
                tries += 1
                if fault.code == status.TEMPORARY and tries <= TEMPORARY_TRIES:
                    self._pause()
                    continue
                self._ended(fault)

    def _ended(self, fault: Fault) -> None:
        """Raise why no image came."""
        is_feeder = self.request.is_feeder
        if status.is_end(fault.code, is_feeder=is_feeder):
            self._forget()  # the device has ended it
            raise NoDocs("no sheet is left in the feeder") from fault
        raise self._meaning(fault, self._client.status()) from fault

    def _deliver(self, name: JobName) -> bool:
        """Hand on the image; return False at the end of a feeder that tells it by an empty one."""
        is_begun = False
        try:
            for piece in self._client.image(name):
                if not is_begun:
                    self.deliveries.begin()
                    is_begun = True
                if not self.stop.is_set():
                    self.deliveries.put(piece)
        except SaneError as exc:
            if is_begun:
                failure = DeviceIOError(str(exc)) if isinstance(exc, Fault) else exc
                self.deliveries.end(failure)
                raise failure from exc
            raise
        if not is_begun:
            raise DeviceIOError(f"{self._service.url}: an image without a byte")
        self.deliveries.end()
        return True

    def leave(self) -> None:
        name = self._forget()
        if name is None:
            return
        try:
            self._service.client(None if self.stop.is_set() else self.broken).cancel(name)
        except SaneError as exc:
            self.debug(2, "%s: %s", self._service.url, exc)
