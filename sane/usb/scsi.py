"""SCSI over USB bulk: commands in a frame of the family's own, sense data as errors.

It knows CDBs, status and sense data in fixed format; how a family frames them, and what its vendor
codes mean, is declared in ScsiRules. Source: SPC-2 (sense keys, fixed format); specification
fujitsu 1 (31 bytes of command, 13 of status) and 2.3.
"""

from __future__ import annotations

from ..errors import DeviceBusy, DeviceIOError, Invalid, SaneError
from .failures import Garbled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .exchange import Data, Received
    from .handle import Usb

    Meaning = tuple[type[SaneError] | None, str]
    Code = tuple[int, int | None, int | None]

GOOD, BUSY = 0x00, 0x08
TEST_UNIT_READY, REQUEST_SENSE = 0x00, 0x03
CDB_SIZES = (6, 10, 12, 16)
UNIT_ATTENTION = 6

# What sense keys mean where a family says nothing more: SPC-2, table 107. None: all is well.
KEYS: Mapping[int, Meaning] = {
    0x0: (None, "no sense"),
    0x1: (None, "recovered error"),
    0x2: (DeviceBusy, "not ready"),
    0x3: (DeviceIOError, "medium error"),
    0x4: (DeviceIOError, "hardware error"),
    0x5: (Invalid, "illegal request"),
    UNIT_ATTENTION: (None, "unit attention"),
    0xB: (DeviceIOError, "aborted command"),
}


class Sense:
    """Sense data in fixed format.

    key, asc, ascq: what happened. information: None unless it is valid. is_end: end of medium.
    is_short: incorrect length, *information* bytes of the data are missing.
    """

    __slots__ = ("asc", "ascq", "information", "is_end", "is_short", "key", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.key = raw[2] & 0x0F
        self.is_end = bool(raw[2] & 0x40)
        self.is_short = bool(raw[2] & 0x20)
        self.information = int.from_bytes(raw[3:7], "big") if raw[0] & 0x80 else None
        self.asc, self.ascq = raw[12], raw[13]

    def __str__(self) -> str:
        return f"sense {self.key:X}/{self.asc:02X}/{self.ascq:02X}"


class Answer:
    """What a command brought: *data*, and *sense* if the device had something to say of it."""

    __slots__ = ("data", "sense")

    def __init__(self, data: Received, sense: Sense | None) -> None:
        self.data = data
        self.sense = sense

    @property
    def is_end(self) -> bool:
        """Whether the medium ends behind these data."""
        return self.sense is not None and self.sense.is_end


class ScsiRules:
    """How a family carries SCSI over bulk; a driver overrides what differs.

    head, at, size: the command's first bytes, where the CDB begins in it, and its length. status,
    status_at: length of a status, and where the SCSI status is in it. tag: its first bytes if a
    status in place of data is to be recognised. sense_bytes: how many sense data are asked for, 14
    at least. senses: meanings by (key, asc, ascq), where None
    stands for all that are not named. limits: seconds for an operation code that has its own.
    without_sense: operation codes whose failure is not asked about.
    """

    head = b"\x43"
    at, size = 0x13, 31
    status, status_at = 13, 9
    tag = b"\x53"
    sense_bytes = 18
    senses: Mapping[Code, Meaning] = {}
    limits: Mapping[int, float] = {TEST_UNIT_READY: 0.5}
    without_sense: tuple[int, ...] = (TEST_UNIT_READY, REQUEST_SENSE)

    def command(self, cdb: bytes) -> bytes:
        """Return the transfer that carries *cdb*."""
        if len(cdb) not in CDB_SIZES or self.at + len(cdb) > self.size:
            raise ValueError(f"a CDB of {len(cdb)} bytes: {cdb.hex(' ')}")
        return (self.head.ljust(self.at, b"\0") + cdb).ljust(self.size, b"\0")

    def status_of(self, answer: bytes) -> int:
        """Return the SCSI status in the transfer *answer*; raises Garbled if there is none."""
        return answer[self.status_at]

    def is_status(self, data: bytes) -> bool:
        """Tell whether *data*, as long as a status, may be one."""
        return data.startswith(self.tag)

    def meaning(self, sense: Sense) -> Meaning:
        """Return the error that *sense* means, None if there is none, and words for it."""
        for code in (
            (sense.key, sense.asc, sense.ascq),
            (sense.key, sense.asc, None),
            (sense.key, None, None),
        ):
            if code in self.senses:
                return self.senses[code]
        return KEYS.get(sense.key, (DeviceIOError, "unknown sense key"))


RULES = ScsiRules()


def scsi(
    usb: Usb,
    cdb: bytes,
    *,
    out: Data = b"",
    want: int = 0,
    into: memoryview | None = None,
    rules: ScsiRules | None = None,
    seconds: float | None = None,
    patience: float = 0.0,
    every: float = 0.5,
) -> Answer:
    """Carry out the SCSI command *cdb*; return its data and what the device says of them.

    out, want: data for the device, or bytes of data from it: exactly what the CDB names. into: a
    view of *want* bytes that takes them; the answer's data are then its beginning. rules: of the
    family (usb.scsi_rules if None). patience: seconds in which a busy device is asked again.

    A device that is not content is asked why: sense data become the error that the rules name, with
    the codes in its text. A unit attention is taken note of, and the command sent once more.
    Silence is TimedOut, and short from then on; a status of another length, or no sense data,
    Garbled or DeviceIOError; what still comes after that is dropped before the next command. Fewer
    data than wanted are returned as they are: whoever asked knows which of them matter; what
    sense data call missing is cut off. More are Overflowed. A device that leaves out the data and
    sends its status at once costs a second.
    """
    rules = rules or usb.scsi_rules or RULES
    if out and want:
        raise ValueError(f"CDB {cdb.hex(' ')}: data go one way only")
    conversation = _Conversation(usb, rules, patience, every)
    conversation.into = into
    answer = conversation.carry_out(cdb, out, want, seconds)
    if answer.sense is not None and answer.sense.key == UNIT_ATTENTION:
        answer = conversation.carry_out(cdb, out, want, seconds)
    return answer


class Begun:
    """A command without data that a device carries out while the host does something else.

    It is sent at once; finish() waits for its status. No other command may be sent in between.
    """

    def __init__(self, usb: Usb, cdb: bytes, rules: ScsiRules | None = None) -> None:
        self._usb = usb
        self._cdb = cdb
        self._rules = rules or usb.scsi_rules or RULES
        usb.get_in_step()
        usb.is_out_of_step = True
        usb.write(usb.bulk_out, self._rules.command(cdb))

    def finish(self) -> Answer:
        """Return or raise what scsi() would have."""
        conversation = _Conversation(self._usb, self._rules, 0.0, 0.0)
        answer = conversation.end(self._cdb)
        if answer.sense is not None and answer.sense.key == UNIT_ATTENTION:
            answer = conversation.carry_out(self._cdb, b"", 0, None)
        return answer


class _Conversation:
    """Commands to a device by the rules of its family."""

    def __init__(self, usb: Usb, rules: ScsiRules, patience: float, every: float) -> None:
        self.usb = usb
        self.rules = rules
        self.patience = patience
        self.every = every
        self.into: memoryview | None = None
        self._sense: Sense | None = None  # of the command that is carried out

    def carry_out(self, cdb: bytes, out: Data, want: int, seconds: float | None) -> Answer:
        """Do one command."""
        rules = self.rules
        command = rules.command(cdb)
        limit = rules.limits.get(cdb[0]) if seconds is None else seconds

        def judge(status: bytes) -> None:
            self._sense = None
            self._judge(cdb, rules.status_of(status))

        data = self.usb.exchange(
            command,
            out=out,
            want=want,
            into=self.into,
            status=rules.status,
            judge=judge,
            is_status=rules.is_status if rules.tag else None,
            short=True,
            seconds=limit,
            patience=self.patience,
            every=self.every,
        )
        sense = self._sense
        if sense is not None and sense.is_short and sense.information is not None:
            data = data[: max(0, want - sense.information)]
        return Answer(data, sense)

    def end(self, cdb: bytes) -> Answer:
        """Take the status of a command that was sent before."""
        usb, rules = self.usb, self.rules
        answer = usb.read(usb.bulk_in, rules.status)
        if len(answer) != rules.status:
            raise Garbled(f"{usb.name}: SCSI {cdb.hex(' ')}: {len(answer)} bytes of status came")
        usb.is_out_of_step = False
        self._judge(cdb, rules.status_of(answer))
        return Answer(b"", self._sense)

    def _judge(self, cdb: bytes, status: int) -> None:
        """Raise what *status* means, after asking for the sense data."""
        name = f"{self.usb.name}: SCSI {cdb.hex(' ')}"
        if status == GOOD:
            return
        if status == BUSY:
            raise DeviceBusy(f"{name}: busy")
        if cdb[0] in self.rules.without_sense:
            raise DeviceIOError(f"{name}: status {status:02x}")
        sense = self._ask_for_sense()
        kind, words = self.rules.meaning(sense)
        if kind is not None:
            raise kind(f"{name}: {words} ({sense})")
        self._sense = sense

    def _ask_for_sense(self) -> Sense:
        """Return the sense data of the last command; its exchange was brought to its end."""
        size = self.rules.sense_bytes
        self.usb.is_out_of_step = False
        cdb = bytes((REQUEST_SENSE, 0, 0, 0, size, 0))
        raw = bytes(scsi(self.usb, cdb, want=size, rules=self.rules).data)
        if len(raw) < size:
            raise Garbled(f"{self.usb.name}: {len(raw)} of {size} bytes of sense data came")
        return Sense(raw)
