"""What mp150 and mp800 have in common: the long framing, sources, gamma, sessions of feeders.

Source: specification pixma 2.6 to 2.9.
"""

from __future__ import annotations

from ...errors import DeviceBusy, DeviceIOError, SaneError
from . import commands as c
from . import ivec
from . import parameters as p
from .request import DUPLEX
from .unit import SHORT_SECONDS, Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .picture import Picture
    from .request import Plan

STATUS_BYTES = {1: 12}  # by generation; the others have
NEW_STATUS_BYTES = 16
READY_BYTES = 8
PAPER, BACK_PAPER = 1, 2  # bytes of a status, 0 while there is a sheet
CALIBRATED = {1: (8, 1), 2: (9, 1)}  # by generation: byte of a status, and its value then
SETTLE_SECONDS = 0.5  # half of the original's: a scanner without data yet is asked again
COMMAND_SHARE = c.LONG_BLOCK - 8  # of data in a block


class Inkjet(Unit):
    """A scanner with the long framing. last_source: of the last scan that went well."""

    framing = c.LONG
    head_bytes = c.LONG_HEAD
    waits_for_paper = True
    ready_mask = 0x01  # bits of the state that mean it is ready
    ready_tries = 120
    xml_generation = 4  # from which on jobs are begun in XML
    film_flag = 0  # in commands for the unit for film

    last_source = ""

    @property
    def has_xml(self) -> bool:
        """Jobs are begun and ended in XML."""
        return self.model.generation >= self.xml_generation

    def status(self) -> bytes:
        """Return what the scanner says of paper and calibration."""
        want = STATUS_BYTES.get(self.model.generation, NEW_STATUS_BYTES)
        return self.command(c.STATUS, want=want)

    def has_paper(self, plan: Plan) -> bool:
        """Ask whether a sheet lies in the feeder."""
        status = self.status()
        is_duplex = plan.request.source == DUPLEX
        return not status[PAPER] or (is_duplex and not status[BACK_PAPER])

    def opened(self) -> None:
        if self.model.generation > 3 or self.link.is_idle_silent:
            return
        try:
            self.greet()
        except SaneError as exc:
            self.debug(1, "%s: opened: %s", self.link.name, exc)

    def greet(self) -> None:
        """Say the first thing to a scanner of generation 3 or older; it need not answer."""
        self.status()

    def begin_page(self, plan: Plan) -> None:
        request, generation = plan.request, self.model.generation
        self.begin_job()
        self.drain()
        if request.is_fed:
            self.await_paper(lambda: self.has_paper(plan))
        if generation <= 2:
            self.calibrate()
        if self.has_session:
            self.link.wait(SETTLE_SECONDS)
        else:
            self.start_session(self.film_flag if request.is_film else 0)
            if generation <= 2:
                self.patiently(c.SELECT, p.source_block(plan, generation))
            else:
                self.await_lamp(plan)
            self.send_gamma(plan)
        self.send_parameters(plan)
        self.await_ready()
        self.link.wait(SETTLE_SECONDS)

    def calibrate(self) -> None:
        """Prepare a scanner of generation 1 or 2 for a page, where it does not do so itself."""

    def await_lamp(self, plan: Plan) -> None:
        """Wait for the lamp of a scanner of generation 3 or later that has one."""

    def say(self, operation: str, seconds: float = c.ANSWER_SECONDS) -> None:
        """Do one step of the dialogue in XML."""
        text = ivec.request(operation)
        answer = self.link.exchange(text, ivec.ANSWER_BYTES, seconds)
        ivec.check(self.link.name, operation, answer)

    def begin_job(self) -> None:
        """Begin a job, of scanners that have such."""
        if self.has_xml and not self.has_session:
            self.say(ivec.START_JOB)
            self.say(ivec.SHIFT_MODE)

    def finish_job(self) -> None:
        self.attempt(c.ABORT)
        self.has_session = False
        if self.has_xml:
            try:
                self.say(ivec.END_JOB, SHORT_SECONDS)
            except (DeviceBusy, DeviceIOError) as exc:
                self.debug(2, "%s", exc)

    def send_gamma(self, plan: Plan) -> None:
        """Upload the table, where the scanner makes use of it."""
        request = plan.request
        if plan.is_jpeg or request.is_film:
            return
        block = p.gamma_block(request.gamma, is_color=request.is_color)
        for _ in range(1 if self.model.generation <= 2 else 3):
            self.patiently(c.GAMMA, block)

    def send_parameters(self, plan: Plan) -> None:
        """Tell what is to be scanned, and let the scan begin."""
        if self.model.generation <= 2:
            self.patiently(c.PARAMETERS, p.old_block(plan, self.model))
            return
        block = p.new_block(plan, self.model, self.page, self.last_source)
        self.patiently(c.PARAMETERS_3, block)
        self.patiently(c.SCAN_3, flag=self.film_flag if plan.request.is_film else 0)

    def is_ready(self) -> bool:
        """Ask whether the scan has begun."""
        generation = self.model.generation
        if generation >= 3:
            return bool(self.command(c.STATUS_3, want=READY_BYTES)[0] & self.ready_mask)
        at, value = CALIBRATED[generation]
        return self.status()[at] == value

    def await_ready(self) -> None:
        """Wait until the lamp is warm and the scanner calibrated; raises DeviceIOError."""
        for number in range(self.ready_tries + 1):
            if self.is_ready():
                return
            if number < self.ready_tries:
                self.hear(1.0)
        raise DeviceIOError(f"{self.link.name}: not ready after {self.ready_tries} s")

    # Image

    def parse_block(self, head: bytes) -> c.Block:
        return c.long_block(head)

    def read_block(self, picture: Picture) -> bool:
        is_last = bool(self.flags & c.NO_MORE_DATA)
        length = c.LONG_LAST_BLOCK if is_last else c.LONG_BLOCK
        command = bytes(self.framing.command(c.BLOCK, length))
        return self.receive_long(picture, command, COMMAND_SHARE)

    def finish_page(self, plan: Plan, *, is_whole: bool) -> None:
        if is_whole:
            self.last_source = plan.request.source
        stays = self.model.generation >= 3 and plan.request.is_fed and is_whole
        if stays and not self.flags & c.NO_MORE_PAPER:
            self.has_session = True
            return
        self.finish_job()
