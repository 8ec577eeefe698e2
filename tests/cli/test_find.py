"""sane-find-scanner: on emulated devices beside the original, and its options."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sane.cli.find import Options, main
from sane.cli.procusb import parse_devices
from sane.testing.usb import INTERRUPT, Endpoint, Interface, UsbDevice
from sane.usb import sysfs
from tests import ROOT, TREE, cc
from tests.conftest import ABSENT

if TYPE_CHECKING:
    from sane.testing.usb.hosted import Umockdev

LISTED = str(ROOT / "tests" / "data" / "usb" / "devices.txt")
BULK_PAIR = (Endpoint(0x81), Endpoint(0x02))
EPSON = {"vendor": 0x04B8, "product": 0x0101, "strings": ("EPSON", "Scanner")}


def found(output: str) -> list[str]:
    return sorted(line for line in output.splitlines() if line.startswith("found"))


def run(
    bus: Umockdev, *arguments: str, conf: Path | None = None, prefix: tuple[str, ...] = ()
) -> str:
    """Run our program on *bus*; return what it prints."""
    environment = {**os.environ, **bus.environment, "PYTHONPATH": str(TREE)}
    environment["SANE_CONFIG_DIR"] = str(conf or "/nonexistent")
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "sane.cli.find", *arguments],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def devices(usb_bus: Umockdev) -> Umockdev:
    """Return a bus with all kinds of devices."""
    usb_bus.plug(UsbDevice, **EPSON)
    for product, interface in enumerate(
        (
            Interface(BULK_PAIR, 6, 1, 1),
            Interface(BULK_PAIR, 7, 1, 2),
            Interface(BULK_PAIR, 8, 6, 80),
            Interface((Endpoint(0x81, INTERRUPT, 8),)),
            Interface(BULK_PAIR, 16, 1, 2),
            Interface((Endpoint(0x81, INTERRUPT, 8),), 3, 1, 2),
        ),
        1,
    ):
        usb_bus.plug(UsbDevice, product=product, interfaces=(interface,))
    usb_bus.plug(UsbDevice, product=20, codes=(255, 1, 1))
    both = (Interface(BULK_PAIR, 7, 1, 2), Interface((Endpoint(0x83),), number=1))
    usb_bus.plug(UsbDevice, product=21, interfaces=both)
    return usb_bus


# From 1.3.1 on the original tries 59 names of SCSI devices. umockdev ends a program that has tried
# more than 50 files below /dev which its bed lacks, so these do not get that far.
NO_SCSI = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#define OPEN(name) \\
    int name(const char *path, int flags, ...) { \\
        int (*next)(const char *, int, int) = dlsym(RTLD_NEXT, #name); \\
        va_list list; \\
        va_start(list, flags); \\
        int mode = va_arg(list, int); \\
        va_end(list); \\
        if (strncmp(path, "/dev/sg", 7) == 0) { errno = ENOENT; return -1; } \\
        return next(path, flags, mode); \\
    }
OPEN(open)
OPEN(open64)
OPEN(__open_2)
OPEN(__open64_2)
"""


def test_the_same_devices_are_found_as_by_the_original(devices: Umockdev, tmp_path: Path) -> None:
    original = shutil.which("sane-find-scanner", path="/usr/bin")
    if original is None:
        pytest.skip(f"{ABSENT}sane-find-scanner")
    environment = {**os.environ, **devices.environment}
    environment.pop("LD_LIBRARY_PATH", None)
    library = cc.compile_program(NO_SCSI, tmp_path / "no_scsi.so", "-shared", "-fPIC", "-ldl")
    environment["LD_PRELOAD"] = f"{library}:{environment['LD_PRELOAD']}"
    done = subprocess.run(
        [original, "-q"], env=environment, capture_output=True, text=True, check=True, timeout=20
    )
    assert run(devices, "-q").splitlines() == found(done.stdout)


def test_the_driver_and_the_access_are_shown(usb_bus: Umockdev, tmp_path: Path) -> None:
    name = usb_bus.plug(UsbDevice, **EPSON).name
    (tmp_path / "dll.conf").write_text("epson2\n")
    lines = run(usb_bus, conf=tmp_path).splitlines()
    head = "vendor=0x04b8 [EPSON], product=0x0101 [Scanner]"
    assert lines[0] == f"found possible USB scanner ({head}) at {name}"
    assert lines[1].startswith("  #   driver: epson2, as Epson ")
    assert "not in use" not in lines[1]
    assert "  #   access: allowed" in lines


@pytest.mark.parametrize(
    ("dll", "own", "text"),
    [
        ("test\n", "", "(not in use: write epson2 into dll.conf)"),
        ("epson2\n", "usb 0x04b8 0x0999\n", "(not listed: epson2.conf names other devices only)"),
    ],
)
def test_why_a_driver_does_not_list_it(
    usb_bus: Umockdev, tmp_path: Path, dll: str, own: str, text: str
) -> None:
    usb_bus.plug(UsbDevice, **EPSON)
    (tmp_path / "dll.conf").write_text(dll)
    (tmp_path / "epson2.conf").write_text(own)
    assert text in run(usb_bus, conf=tmp_path)


def test_why_access_is_denied(usb_bus: Umockdev) -> None:
    if os.geteuid() or shutil.which("setpriv") is None:
        pytest.skip(f"{ABSENT}root with util-linux, to give the node to somebody else")
    bus, address = usb_bus.plug(UsbDevice, **EPSON).name.split(":")[1:]
    path = Path(f"{usb_bus.environment['UMOCKDEV_DIR']}/dev/bus/usb/{bus}/{address}")
    os.chown(path, 1, 1)
    path.chmod(0o660)
    drop = "-dac_override,-dac_read_search"
    prefix = ("setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}", "--")
    assert "access: denied, no permission to write to /dev/bus/usb/" in run(usb_bus, prefix=prefix)


def test_a_device_for_ipp_over_usb_is_told_from_others(usb_bus: Umockdev) -> None:
    printer = (Interface(BULK_PAIR, 7, 1, 4), Interface(BULK_PAIR, number=1))
    usb_bus.plug(UsbDevice, product=7, interfaces=printer)
    assert "run ipp-usb, use escl" in run(usb_bus)


def test_nothing_connected_gets_advice(usb_bus: Umockdev) -> None:
    output = run(usb_bus)
    assert found(output) == []
    assert "No scanner is connected" in output


def test_only_the_named_devices_are_looked_at(devices: Umockdev) -> None:
    names = run(devices, "-q").splitlines()
    name = names[-1].rpartition(" ")[2]
    assert run(devices, "-q", name).splitlines() == names[-1:]
    node = "/dev/bus/usb/{}/{}".format(*name.split(":")[1:])
    assert run(devices, "-q", node).splitlines() == names[-1:]
    assert "libusb:009:009: no USB device is there." in run(devices, "libusb:009:009")


def test_a_device_is_forced_to_be_a_scanner(usb_bus: Umockdev) -> None:
    name = usb_bus.plug(UsbDevice, interfaces=(Interface(BULK_PAIR, 8, 6, 80),)).name
    assert found(run(usb_bus, name)) == []
    assert len(found(run(usb_bus, "-f", name))) == 1


def test_verbose_shows_what_is_looked_at(devices: Umockdev) -> None:
    assert "bulk in 0x81" not in run(devices, "-v")
    output = run(devices, "-vv")
    assert output.count("checking libusb:") == 9
    assert "  configuration 1, interface 0.0, class ff/ff/ff" in output
    assert "    bulk in 0x81, 512 bytes" in output


# Options and files, without a bus


def test_options_are_those_of_the_original() -> None:
    options = Options(["-vq", "-v", "-fp", "-F", "list", "libusb:001:002", "-Fother"])
    assert (options.verbose, options.quiet, options.force, options.parallel) == (2, 1, 1, 1)
    assert (options.file, options.devices) == ("other", ["libusb:001:002"])


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["-h"], 0, "Usage: sane-find-scanner"),
        (["-?"], 0, "Usage: sane-find-scanner"),
        (["--help"], 0, "Usage: sane-find-scanner"),
        (["-x"], 1, "unknown option: -x, try -h for help"),
        (["-F"], 1, "option -F needs the name of a file"),
        (["-F", "/nonexistent/devices"], 1, "/nonexistent/devices: No such file"),
    ],
)
def test_the_command_line(
    capfd: pytest.CaptureFixture[str], arguments: list[str], status: int, text: str
) -> None:
    assert main(arguments) == status
    output = capfd.readouterr()
    assert text in (output.out if status == 0 else output.err)


def test_a_list_of_devices_is_looked_at(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-F", LISTED]) == 0
    output = capfd.readouterr().out
    (line,) = found(output)
    assert line.endswith("(vendor=0x04b8 [EPSON], product=0x0101 [Some Scanner]) at libusb:001:007")
    assert "driver: epson2" in output
    assert "access:" not in output


def test_a_list_of_devices_is_parsed() -> None:
    scanner, stick = parse_devices(LISTED)
    assert (scanner.bus, scanner.address, scanner.vendor, scanner.product) == (1, 7, 0x04B8, 0x0101)
    (interface,) = scanner.descriptors.interfaces
    assert (interface.class_, len(interface.endpoints)) == ((255, 255, 255), 2)
    assert interface.endpoints[0].max_packet == 512
    assert stick.descriptors.interfaces[0].class_ == (8, 6, 0x50)


def test_a_broken_list_of_devices_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "devices"
    path.write_text("P:  Vendor=04b8\nT:  Bus= Dev#=x\nP:  Vendor=zz ProdID\nE:  Ad\nI:\nE: =\n")
    (entry,) = parse_devices(str(path))
    assert (entry.bus, entry.vendor, entry.product) == (0, 0, 0)


@pytest.mark.parametrize("arguments", [[], ["libusb:001:002"], ["-v"]])
def test_without_sysfs_the_reason_is_that(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A container without /sys is no scanner that is switched off."""
    monkeypatch.setattr(sysfs, "ROOT", "/nonexistent/devices")
    monkeypatch.setattr(sysfs, "devices", list)
    assert main(arguments) == 0
    said = capfd.readouterr().out
    assert "cannot be looked for: /nonexistent/devices: No such file or directory" in said
    assert "switched off" not in said
    assert "no USB device is there" not in said
