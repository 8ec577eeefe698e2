"""The virtual machine of the end-to-end tests, booted once: our installed files are a layer of it.

`make test-usb` runs what is here; a plain pytest leaves it out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sane.testing.usb.hosted import Usbredir
from sane.testing.vm.kernel import KernelError, get_kernel
from sane.testing.vm.machine import Outcome, VirtualMachine, missing_packages
from tests import ROOT
from tests.conftest import ABSENT, PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sane.testing.usb import UsbDevice
    from sane.testing.usb.hosted import Device

CACHE = ROOT / "build" / "vm"
PORTS = 4
DISTRIBUTION = "LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu"


class Guest:
    """The machine, its USB ports and the programs in it."""

    def __init__(self, machine: VirtualMachine, bus: Usbredir, share: Path) -> None:
        self.machine = machine
        self.bus = bus
        self.share = share

    def plug(self, kind: type[UsbDevice], *arguments: Any, **words: Any) -> Device:
        """Plug in a device, wait until the kernel has it; its name is the kernel's."""
        before = self.machine.usb_names()
        device = self.bus.plug(kind, *arguments, **words)
        after = self.machine.wait_for_usb(len(before) + 1)
        device.name = next(name for name in after if name not in before)
        return device

    def add_driver(self, path: Path) -> None:
        """Drop in a driver; in the machine it belongs to root, as it must."""
        shutil.copy(path, self.share)
        self.machine.check(f"cp /run/share/{path.name} /run/drivers/")

    def configure(self, *backends: str, **files: str) -> None:
        """Write dll.conf with *backends*, and other config files (``page_conf`` is page.conf)."""
        folder = self.share / "sane.d"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "dll.conf").write_text("".join(f"{name}\n" for name in backends))
        for name, text in files.items():
            (folder / name.replace("_", ".")).write_text(text)

    def command(self, line: str, theirs: bool = False, user: int = 0) -> str:
        """Return a shell line that runs a SANE program on our library, or the distribution's."""
        words = [
            *("env", "SANE_CONFIG_DIR=/run/share/sane.d"),
            "PYSANE_BACKEND_PATH=/run/drivers",
            *([DISTRIBUTION] if theirs else []),
            *([f"setpriv --reuid={user} --regid={user} --clear-groups"] if user else []),
        ]
        return f"{' '.join(words)} {line}"

    def run(self, line: str, theirs: bool = False, user: int = 0) -> Outcome:
        """Run a SANE program."""
        return self.machine.run(self.command(line, theirs, user))

    def same(self, line: str) -> bytes:
        """Run scanimage on both libraries; return our image, which must be the original's."""
        ours, theirs = self.run(line), self.run(line, theirs=True)
        assert (theirs.status, theirs.stdout[:1]) == (0, b"P"), theirs.stderr
        assert ours.status == 0, ours.stderr
        assert ours.stdout == theirs.stdout, line
        return ours.stdout


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with our files as `make install` puts them."""
    folder = tmp_path_factory.mktemp("layer")
    command = [sys.executable, str(ROOT / "packaging" / "install.py"), "install"]
    command += ["--stage", str(PREFIX), "--prefix", "/usr/local", "--destdir", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="session")
def session_guest(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    missing = missing_packages()
    if missing:
        pytest.skip(f"{ABSENT}a virtual machine ({' '.join(missing)})")
    try:
        kernel = get_kernel(str(CACHE))
    except KernelError as exc:
        pytest.skip(f"{ABSENT}a virtual machine ({exc})")
    folder = tmp_path_factory.mktemp("vm")
    sockets = [str(folder / f"port{number}") for number in range(PORTS)]
    with (
        Usbredir(*sockets) as bus,
        VirtualMachine(kernel, str(folder), sockets, [str(layer)]) as machine,
    ):
        share = folder / "share"
        # An ordinary user may need what lies below the home of whoever built this.
        machine.check("ldconfig; chmod o+x /root; mkdir /run/drivers")
        guest = Guest(machine, bus, share)
        guest.add_driver(ROOT / "tests" / "vm" / "drivers" / "page.py")
        yield guest


@pytest.fixture
def guest(session_guest: Guest) -> Iterator[Guest]:
    """Return the machine without devices, with a configuration that asks for page scanners."""
    session_guest.configure("page")
    yield session_guest
    session_guest.bus.unplug_all()
    session_guest.machine.wait_for_usb(0)
