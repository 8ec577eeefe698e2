"""What ours makes of a unit that is broken, and of calibrations that are not its own.

A status, one line that says what was seen, the motor off. The original ends many of these with
CANCELLED after minutes (specification plustek 10).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sane.testing.plustek.usb import BULK_IN
from sane.testing.usb.hosted import Device
from tests.peers.frontends import OURS
from tests.peers.plustek import Case, Made, Scanned, scan, scan_all

IO_ERROR, NOT_OPENED = 9, 1  # exit statuses of scanimage
SHOW = {"SANE_DEBUG_DLL": "1", "SANE_DEBUG_PLUSTEK": "1"}
SMALL = ("-l", "20", "-t", "30", "-x", "20", "-y", "10", "--resolution", "150")
SECONDS = 100.0  # a scan ends by then: coming home may take a minute

pytest.importorskip("sane.backends.plustek")


class Broken(NamedTuple):
    """What is broken: attributes of the scanner, a fault of a transfer; what is said of it."""

    says: str
    attributes: dict[str, Any] = {}
    put: float = 0.0
    fault: tuple[str, int] | None = None  # kind, IN transfers before
    words: dict[str, Any] = {}
    unit: str = "LiDE 20"

    @property
    def case(self) -> Case:
        """Its scan."""
        made = Made(self.unit, attributes=self.attributes, prepare=self.prepare)
        return Case(made, SMALL, OURS, SHOW)

    def prepare(self, device: Device) -> None:
        """Break what an attribute cannot break."""
        device.call("call_scanner", "put", self.put)
        if self.fault is not None:
            kind, after = self.fault
            device.fault(kind, BULK_IN, after=after, **self.words)


QUICK = (
    Broken("stuck", {"stuck_at": 0.0}),
    Broken("lamp|light|white", {"lamp_light": 0.0}),
    Broken("white|dark|light", {"white_strip": 0.0}),
    Broken("07", {"ignores": frozenset({7})}),
    Broken("gone|No such device|unplugged|disconnected", fault=("unplug", 150)),
)
SLOW = (
    Broken("does not come home", {"stuck_at": 1200.0}, put=2400.0),
    Broken("data|ready", {"is_never_ready": True}),
    Broken("has not ended", {"command_never_ends": True}),
    Broken("bytes|timed out|short|time", {"missing": 100}),
    Broken("stall|pipe|halt", fault=("stall", 180)),
    Broken("warm|stable|lamp", {"warm_up": 200}, unit="Perfection 1250"),
)


def wrong(broken: Broken, done: Scanned) -> str:
    """Return what is wrong in how a scan failed, "" if nothing is."""
    told = f"{broken.attributes or broken.fault} ({done.seconds:.0f} s)"
    lines = [line for line in done.stderr.splitlines() if re.search(broken.says, line)]
    if done.status not in (IO_ERROR, NOT_OPENED) or not lines:
        return f"{told}: status {done.status}, {done.stderr[-400:]}"
    if done.problems or not done.is_still or done.seconds > SECONDS:
        return f"{told}: problems {done.problems}, still {done.is_still}"
    return ""


@pytest.mark.parametrize(
    "all_broken",
    [pytest.param(QUICK, id="quick"), pytest.param(SLOW, id="long", marks=pytest.mark.long)],
)
def test_a_broken_unit_is_told(all_broken: tuple[Broken, ...], tmp_path: Path) -> None:
    outcomes = scan_all([broken.case for broken in all_broken], tmp_path)
    pairs = zip(all_broken, outcomes, strict=True)
    found = [wrong(broken, done) for broken, done in pairs]
    assert not any(found), "\n".join(filter(None, found))


@pytest.mark.parametrize("spoil", ["cut", pytest.param("foreign", marks=pytest.mark.long)])
def test_a_cache_that_is_not_the_units_own_is_made_anew(spoil: str, tmp_path: Path) -> None:
    """Cut in half, or of a unit elsewhere: the page is the same as without it."""
    made = Made(conf="[usb]\noption cacheCalData 1\ndevice auto\n")
    case = Case(made, SMALL, OURS, SHOW)
    (tmp_path / ".sane").mkdir()
    first = scan(case, tmp_path)
    assert (first.status, first.problems) == (0, []), first.stderr
    files = sorted((tmp_path / ".sane").iterdir())
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    for file in files:
        text = file.read_text()
        if spoil == "cut":
            file.write_text(text[: len(text) // 2])
        else:
            file.write_text(
                re.sub(r"\b(1|9|2)(\d\d)\b", r"3\2", text.replace("001:002", "007:003"))
            )
    again = scan(case, tmp_path)
    assert (again.status, again.problems, again.picture) == (0, [], first.picture), again.stderr
