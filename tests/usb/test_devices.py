"""sane.usb on emulated devices, through the real pyusb and libusb; no kernel, no hardware."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import TREE
from tests.conftest import ABSENT
from tests.fakes.loopback import BULK_IN, Loopback

if TYPE_CHECKING:
    from sane.testing.usb.hosted import Device, Umockdev

CLIENT = Path(__file__).with_name("client.py")
TIMEOUT = 20
NAME = "libusb:001:00"


@pytest.fixture
def loopback(usb_bus: Umockdev) -> Device:
    pytest.importorskip("usb.core", reason=f"{ABSENT}pyusb")
    return usb_bus.plug(Loopback)


def start(bus: Umockdev, scene: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start the client."""
    return subprocess.Popen(
        [*prefix, sys.executable, str(CLIENT), str(TREE), scene],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **bus.environment},
        text=True,
    )


def run(bus: Umockdev, scene: str, prefix: tuple[str, ...] = ()) -> list[str]:
    """Play *scene*; return the lines that it printed."""
    with start(bus, scene, prefix) as process:
        lines = process.communicate(timeout=TIMEOUT)[0].splitlines()
        assert process.returncode == 0
        return lines


HELLO = "b'hello'"


@pytest.mark.parametrize(
    ("scene", "lines"),
    [
        ("echo", [HELLO]),
        ("sizes", [f"{size} True" for size in (1, 511, 513, 16385, 65537, 1 << 20)]),
        ("empty", ["512 b''"]),
        ("timeout", ["TimedOut 9: * read 0x81: 0 of 512 bytes, no answer within 0.1 s", HELLO]),
        ("partial", ["512", HELLO]),
        (
            "stall",
            [
                "Stalled 9: * read 0x81: 0 of 512 bytes, the device refused it (stall)",
                "Stalled 9: * control c0 77 0000 0000: 0 of 8 bytes, the device refused it (stall)",
                HELLO,
            ],
        ),
        (
            "babble",
            [
                "Overflowed 9: * read 0x81: 0 of 14 bytes, the device sent more than was asked for",
                HELLO,
            ],
        ),
        ("control", ["b'none'", "b'abc'"]),
        ("cancel", ["cancelled", HELLO]),
        ("cancel_stream", ["cancelled", HELLO]),
        ("stream", [f"{size} True" for size in (100000, 512, 1, 0, 65536)] + [HELLO]),
        (
            "stream_stalls",
            ["700", *(["Stalled 9: * stream 0x81: the device refused it (stall)"] * 2), HELLO],
        ),
        ("cycles", ["1"]),
        ("stream_rest", ["2 b'he'", "b'llo'", HELLO]),
    ],
)
def test_a_driver_sees_a_device(
    usb_bus: Umockdev, loopback: Device, scene: str, lines: list[str]
) -> None:
    assert run(usb_bus, scene) == [line.replace("*", f"{loopback.name}:") for line in lines]


def test_an_interrupt_endpoint_reports_a_button(usb_bus: Umockdev, loopback: Device) -> None:
    with start(usb_bus, "button") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        loopback.call("press", 3)
        assert process.communicate(timeout=TIMEOUT)[0] == "b'\\x03'\n"


def test_a_device_unplugged_in_mid_read_is_an_io_error(usb_bus: Umockdev, loopback: Device) -> None:
    with start(usb_bus, "pending") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        loopback.unplug()
        read, write, listed = process.communicate(timeout=TIMEOUT)[0].splitlines()
    assert read.startswith("Unplugged 9: ")
    assert write.startswith("Unplugged 9: ")
    assert listed == "[]"


def test_a_device_in_use_names_who_uses_it(usb_bus: Umockdev, loopback: Device) -> None:
    with start(usb_bus, "hold") as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "claimed\n"
        (line,) = run(usb_bus, "echo")
        assert line.startswith("DeviceBusy 3: ")
        assert "interface 0 is in use by " in line
        first.communicate("\n", timeout=TIMEOUT)
    assert run(usb_bus, "echo") == [HELLO]


def test_a_device_in_use_for_a_moment_is_waited_for(usb_bus: Umockdev, loopback: Device) -> None:
    assert run(usb_bus, "turns") == ["True"]


def test_several_devices_at_once_do_not_meet(usb_bus: Umockdev, loopback: Device) -> None:
    usb_bus.plug(Loopback, product=3)
    usb_bus.plug(Loopback, product=4)
    assert run(usb_bus, "several") == ["15 True"]


def test_a_listing_shows_what_is_plugged_in(usb_bus: Umockdev, loopback: Device) -> None:
    other = usb_bus.plug(Loopback, product=3, strings=("Acme", "S1"))
    assert run(usb_bus, "listing") == [
        f"{loopback.name} PySANE loopback",
        f"{other.name} Acme S1",
    ]
    loopback.unplug()
    assert run(usb_bus, "listing") == [f"{other.name} Acme S1"]


def test_a_slow_device_is_waited_for(usb_bus: Umockdev, loopback: Device) -> None:
    loopback.fault("slow", BULK_IN, seconds=0.2)
    assert run(usb_bus, "echo") == [HELLO]


def test_a_device_that_hangs_costs_a_timeout_and_works_after_a_reset(
    usb_bus: Umockdev, loopback: Device
) -> None:
    loopback.fault("hang", BULK_IN)
    failure, after = run(usb_bus, "hang")
    assert failure.startswith("TimedOut 9: ")
    assert after == HELLO


@pytest.mark.parametrize(
    ("mode", "remedy"),
    [
        (0o660, "this user is not in group daemon; add it (adduser USER daemon), log in anew"),
        (0o600, "a udev rule for this device is missing, as in 60-pysane.rules"),
    ],
)
def test_a_node_without_permission_is_named_with_the_remedy(
    usb_bus: Umockdev, loopback: Device, mode: int, remedy: str
) -> None:
    bus, address = loopback.name.split(":")[1:]
    node = f"/dev/bus/usb/{bus}/{address}"
    path = Path(usb_bus.environment["UMOCKDEV_DIR"] + node)
    if os.geteuid() or shutil.which("setpriv") is None:
        pytest.skip(f"{ABSENT}root with util-linux, to give the node to somebody else")
    os.chown(path, 1, 1)
    path.chmod(mode)
    drop = "-dac_override,-dac_read_search"  # root may do everything, unless it gives that up
    (line,) = run(
        usb_bus, "echo", ("setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}", "--")
    )
    assert line.startswith(f"AccessDenied 11: {loopback.name} (1209:0002): no permission")
    assert f"write to {node} (mode {mode:04o}, owner daemon, group daemon): {remedy}" in line


def test_without_pyusb_opening_says_what_is_missing(usb_bus: Umockdev, loopback: Device) -> None:
    if (TREE / "deps").exists() or (TREE / "usb").exists():
        pytest.skip("pyusb lies beside this tree")
    environment = {**os.environ, **usb_bus.environment}
    command = [sys.executable, "-I", "-S", str(CLIENT), str(TREE), "echo"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "Unsupported 1: USB devices need pyusb: No module named 'usb'\n"


def test_without_libusb_opening_says_what_is_missing(
    usb_bus: Umockdev, loopback: Device, tmp_path: Path
) -> None:
    (tmp_path / "libusb-1.0.so.0").write_text("no library")
    environment = {**os.environ, **usb_bus.environment, "LD_LIBRARY_PATH": str(tmp_path)}
    command = [sys.executable, str(CLIENT), str(TREE), "echo"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    missing = "USB devices need libusb, and libusb-1.0.so.0 cannot be loaded: "
    assert done.stdout.startswith(f"Unsupported 1: {missing}")
