"""What the author of an emulated device may call things, and what becomes of his mistakes."""

from __future__ import annotations

import os
import subprocess
import sys
from errno import EPIPE
from typing import TYPE_CHECKING, Any

import pytest

from sane.testing.usb import Endpoint, Fault, Interface, UsbDevice
from sane.testing.usb.state import state_of
from tests.fakes.sloppy import BULK_IN, BULK_OUT, Sloppy

if TYPE_CHECKING:
    from sane.testing.usb.hosted import Umockdev

VENDOR_IN = bytes((0xC0, 1, 0, 0, 0, 0, 8, 0))


class Ends:
    """Notes how requests ended."""

    def __init__(self) -> None:
        self.ended: list[tuple[int, bytes]] = []

    def __call__(self, status: int, data: bytes) -> None:
        self.ended.append((status, data))


@pytest.fixture
def ends() -> Ends:
    return Ends()


def test_keywords_change_the_attributes_of_the_subclass() -> None:
    device = Sloppy(sheets=3, product=5)
    assert (device.sheets, device.product) == (3, 5)
    assert Sloppy().sheets == 1


@pytest.mark.parametrize("name", ["nothing", "on_out", "send", "trace_", "_hidden", "descriptor"])
def test_other_keywords_are_refused(name: str) -> None:
    with pytest.raises(TypeError, match=f"Sloppy has no attribute '{name}'"):
        Sloppy(**{name: 1})


def test_a_model_may_use_the_names_of_what_is_only_shown(ends: Ends) -> None:
    """Sloppy overwrites value, trace, faults, alternates and is_gone."""
    device = Sloppy()
    assert device.configure(1)
    state_of(device).faults.add(Fault("replace", BULK_IN, data=b"faulty"))
    device.submit_out(BULK_OUT, 1, b"echo", ends)
    device.submit_in(BULK_IN, 2, 64, ends)
    device.submit_control(3, bytes((0x80, 8, 0, 0, 0, 0, 1, 0)), b"", ends)
    assert ends.ended == [(0, b""), (0, b"faulty"), (0, b"\x01")]
    assert (device.value, device.trace, device.faults) == (7, "mine", None)
    assert [event.kind for event in state_of(device).trace] == [
        *("configuration", "error", "out", "fault", "in", "control"),
    ]


@pytest.mark.parametrize(
    "name", ["send", "stall", "reset", "cancel", "configure", "descriptor", "unplug", "call_later"]
)
def test_a_model_may_not_replace_a_method(name: str) -> None:
    with pytest.raises(TypeError, match=rf"Wrong\.{name}: every UsbDevice has one"):
        type("Wrong", (UsbDevice,), {name: lambda self: None})
    with pytest.raises(AttributeError, match=name):
        setattr(UsbDevice(), name, 5)


def test_the_methods_that_a_model_implements_are_its_own() -> None:
    class Right(UsbDevice):
        def on_out(self, endpoint: int, data: bytes) -> None:
            self.on_reset()

        def control(self, setup: Any, data: bytes) -> bytes | None:
            return None

        def on_reset(self) -> None:
            self.state = self.scanner = self.buffer = None

    Right().on_out(1, b"")


# Mistakes


CLIENT = """
import usb.core
device = usb.core.find(idVendor=0x1209, idProduct=0x0001)
try:
    device.write(0x02, b"raise", 5000)
except usb.core.USBError as exc:
    print(exc.errno)
device.write(0x02, b"echo", 5000)
print(bytes(device.read(0x81, 64, 5000)).decode())
"""


@pytest.mark.parametrize(
    ("word", "status"), [(b"raise", -EPIPE), (b"attribute", -EPIPE), (b"echo", 0)]
)
def test_an_exception_in_on_out_is_a_stall(
    ends: Ends, word: bytes, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    device = Sloppy()
    device.submit_out(BULK_OUT, 1, word, ends)
    device.submit_out(BULK_OUT, 2, b"echo", ends)
    assert ends.ended == [(status, b""), (0, b"")]
    said = capfd.readouterr().err
    kinds = [event.kind for event in state_of(device).trace]
    assert ("error" in kinds) == bool(status) == ("Traceback" in said)
    if status:
        assert "Sloppy.on_out failed" in said
        assert "sloppy.py" in said


def test_an_exception_in_control_on_reset_and_a_timer_is_told(
    ends: Ends, capfd: pytest.CaptureFixture[str]
) -> None:
    device = Sloppy()
    timers: list[Any] = []
    device.call_later = lambda seconds, function: timers.append(function)
    device.submit_control(1, VENDOR_IN, b"", ends)
    device.reset()
    device.submit_out(BULK_OUT, 2, b"later", ends)
    timers.pop()()
    assert ends.ended == [(-EPIPE, b""), (0, b"")]
    assert capfd.readouterr().err.count("Traceback") == 3
    notes = [event.note for event in state_of(device).trace if event.kind == "error"]
    assert [note.partition(":")[0] for note in notes] == [
        *("KeyError", "ValueError", "ZeroDivisionError"),
    ]


def test_a_program_survives_a_mistake_in_the_model(usb_bus: Umockdev) -> None:
    """It was killed by the library that shows it the bus."""
    device = usb_bus.plug(Sloppy, sheets=3)
    assert device.get("sheets") == 3
    device.trace(clear=True)
    done = subprocess.run(
        [sys.executable, "-c", CLIENT],
        env={**os.environ, **usb_bus.environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == (f"{EPIPE}\necho\n", "", 0)
    notes = [event.note for event in device.trace() if event.kind == "error"]
    assert "RuntimeError: a mistake" in notes
    assert device.get("trace") == "mine"


def test_a_model_that_cannot_be_made_is_told(usb_bus: Umockdev) -> None:
    with pytest.raises(Exception, match="Sloppy has no attribute 'sheet'"):
        usb_bus.plug(Sloppy, sheet=3)


def test_endpoints_of_a_keyword_are_there(ends: Ends) -> None:
    device = Sloppy(interfaces=(Interface((Endpoint(0x83), Endpoint(0x04))),))
    device.submit_in(BULK_IN, 1, 8, ends)
    assert ends.ended == [(-EPIPE, b"")]
