"""What the original pixma and ours make of faulty scanners: the status, and the next page.

Where ours differs, it does what the specification (pixma 7) recommends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sane.testing.net import Fault
from sane.testing.pixma import BUSY, FAILED, Answer
from sane.testing.pixma.network import BJNP, READ, WRITE, Emulator, Packet
from tests.peers.pixma import Answers, Made
from tests.peers.pixma_pairs import (
    DEVICE,
    MODE,
    RESOLUTION,
    SCAN,
    Outcome,
    area,
    failure,
    opened,
    run_both,
    text,
    word,
)
from tests.peers.walks import build_walker

AT_ONCE = 9
GOOD, CANCELLED, DEVICE_BUSY, INVAL, IO_ERROR = "", "CANCELLED", "DEVICE_BUSY", "INVAL", "IO_ERROR"
PAGE = [text(MODE, "Gray"), word(RESOLUTION, 75), *area(30, 40, 60, 60)]
ONCE = [*PAGE, *SCAN, "cancel 0"]
TWICE = opened([*ONCE, "close 0", f"open 0 {DEVICE}", *ONCE])
FIRST, SECOND = (TWICE.index("start 0"), len(TWICE) - 6)
BLOCK_BYTES = 2000  # of which the page has three

pytest.importorskip("sane.backends.pixma")


class Case(NamedTuple):
    """A fault, and the statuses that the page ends with: the original's, and ours if it differs."""

    answers: Answers = {}
    theirs: str = GOOD
    ours: str | None = None
    model: str = "MP560"
    attributes: dict[str, Any] = {}
    prepare: Callable[[Emulator], None] | None = None

    @property
    def made(self) -> Made:
        """The scanner."""
        attributes = {"block_bytes": BLOCK_BYTES, **self.attributes}
        return Made(self.model, BJNP, 0, attributes, self.answers, self.prepare)


def spoiled(code: int, number: int, change: Callable[[bytes], bytes]) -> Callable[[Emulator], None]:
    """Return what lets the emulator change its *number*-th answer on TCP to packets *code*."""

    def prepare(emulator: Emulator) -> None:
        met = []

        def tamper(packet: Packet, answer: bytes) -> bytes:
            if packet.link != "tcp" or packet.code != code:
                return answer
            met.append(packet)
            return change(answer) if len(met) == number else answer

        emulator.tamper = tamper

    return prepare


def faulty(fault: Fault) -> Callable[[Emulator], None]:
    """Return what adds a fault of the network to the connections."""
    return lambda emulator: emulator.tcp.faults.add(fault)


def at(place: int, data: bytes) -> Callable[[bytes], bytes]:
    """Return what replaces bytes of an answer."""
    return lambda answer: answer[:place] + data + answer[place + len(data) :]


NONE = Answer(whole=b"")
CASES = (
    Case(),
    # Statuses, checksums, lengths
    Case({"DB20": (Answer(BUSY),) * 2}),
    Case({"DB20": (Answer(FAILED),)}, CANCELLED, IO_ERROR),
    Case({"D820": (Answer(FAILED),)}, CANCELLED, IO_ERROR),
    Case({"EE20": (Answer(BUSY),)}, DEVICE_BUSY, GOOD),
    Case({"D920": (Answer(0x1234),)}, IO_ERROR),
    Case({"EF20": (Answer(FAILED),)}),
    Case({"DA20": (Answer(spoils=True),)}, IO_ERROR),
    Case({"DA20": (Answer(data=bytes(8)),)}),
    Case({"DA20": (Answer(data=b"\2\0\0\0\0\0\0\xfe"),)}),
    Case({"DA20": (Answer(whole=b"\6\6\0"),)}, IO_ERROR),
    Case({"DB20": (NONE,)}, IO_ERROR, GOOD),
    Case({"StartJob": (Answer(data=b"<cmd>NG</cmd>"),)}, IO_ERROR),
    Case({"EndJob": (Answer(data=b"<cmd>NG</cmd>"),)}),
    Case({"ModeShift": (NONE,)}, GOOD, IO_ERROR),
    # Blocks
    Case({"D420": (None, Answer(FAILED))}, CANCELLED),
    Case({"D420": (None, Answer(BUSY))}, DEVICE_BUSY, GOOD),
    Case({"D420": (None, Answer(0x1234))}, IO_ERROR),
    Case({"D420": (Answer(flags=0x40, more=7),)}),
    Case({"D420": (None, *(Answer(data=b"", carries_out=False),) * 3)}),
    Case(attributes={"more_lines": -5}),
    Case(attributes={"ends_apart": True}),
    # The link
    Case(theirs=IO_ERROR, prepare=faulty(Fault("close", after=3))),
    Case(theirs=IO_ERROR, prepare=faulty(Fault("close", after=24))),
    Case(theirs=IO_ERROR, prepare=spoiled(WRITE, 4, at(5, b"\x20"))),
    Case(theirs=IO_ERROR, prepare=spoiled(WRITE, 4, at(8, b"\xff\xff"))),
    Case(theirs=IO_ERROR, prepare=spoiled(WRITE, 4, at(16, b"\0\0\0\1"))),
    Case(theirs=IO_ERROR, prepare=spoiled(READ, 4, at(8, b"\xff\xff"))),
    Case(ours=IO_ERROR, prepare=spoiled(READ, 4, at(0, b"XXXX"))),
    # Laser units
    Case({"DD20": (Answer(FAILED),)}, CANCELLED, IO_ERROR, "MF4410"),
    Case({"DE20": (Answer(0x1234),)}, IO_ERROR, None, "MF4410"),
    Case({"CF60": (Answer(FAILED),)}, CANCELLED, IO_ERROR, "MF4270"),
    Case({"F320": (NONE,)}, model="MF4410"),
    Case(model="MF4270", attributes={"more_lines": -5}),
)


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_walker(tmp_path_factory.mktemp("walker"))


def ends(side: Outcome) -> tuple[str, str, str]:
    """Return the status of the first page, of the second, and the pixels of that."""
    first, second = (failure(TWICE, side.trace, start) for start in (FIRST, SECOND))
    read = next((line for line in reversed(side.trace) if "total=" in line), "")
    return first, second, read


def test_some_faults(walker: Path, tmp_path: Path) -> None:
    check_faults(walker, CASES[::4], tmp_path)


@pytest.mark.long
def test_faults(walker: Path, tmp_path: Path) -> None:
    check_faults(walker, CASES, tmp_path)


def check_faults(walker: Path, cases: Sequence[Case], tmp_path: Path) -> None:
    """Let both scan twice from each scanner, at once where that is possible."""

    def one(numbered: tuple[int, Case]) -> tuple[Outcome, Outcome]:
        number, case = numbered
        return run_both(walker, case.made, TWICE, tmp_path / str(number))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(one, enumerate(cases)))
    page: dict[str, str] = {}  # of each model, without a fault
    for case, (_ours, theirs) in zip(cases, outcomes, strict=True):
        if "more_lines" not in case.attributes:
            page.setdefault(case.model, ends(theirs)[2])
    wrong = []
    for case, (ours, theirs) in zip(cases, outcomes, strict=True):
        wanted = case.theirs if case.ours is None else case.ours
        for name, side, status in (("ours", ours, wanted), ("theirs", theirs, case.theirs)):
            found = ends(side)
            is_short = "more_lines" in case.attributes
            if found[:2] != (status, GOOD) or (not is_short and found[2] != page[case.model]):
                wrong.append(f"{name}: {found} instead of {status!r}: {case}")
        if is_short and ends(ours) != ends(theirs):
            wrong.append(f"{ends(ours)} instead of {ends(theirs)}: {case}")
    assert not wrong, "\n".join(wrong)
