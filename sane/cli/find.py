"""sane-find-scanner: which scanners are connected, which driver takes them, may they be used.

It reads sysfs and looks at permissions; it opens no device. The options and the line for each
scanner are those of the original program.
"""

from __future__ import annotations

import os
import sys

from ..config import Environment
from ..debug import Debug
from ..dll.config import backend_names
from ..usb import sysfs
from ..usb.access import who_holds, why_denied
from ..usb.descriptors import CLASS_APPLICATION, CLASS_VENDOR, Descriptors, scanner_interface
from ..usb.rules import read_installed
from .drivers import usb_backends
from .ending import ended
from .procusb import parse_devices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..usb.sysfs import BusDevice

USAGE = """\
Usage: sane-find-scanner [-hvqfp] [-F FILE] [DEVICE ...]
Show the scanners that are connected, the driver for each, and whether it may be used.

  -h, -?, --help  show this help
  -v              show what is looked at; twice: also the USB descriptors
  -q              show only the lines of the scanners
  -f              take every DEVICE for a scanner, whatever it looks like
  -p              also parallel ports (PySANE has no drivers for them)
  -F FILE         look at the devices in FILE, which has the format of /proc/bus/usb/devices
  DEVICE          look only at these: libusb:BUS:ADDRESS, /dev/bus/usb/..., /dev/sg...
"""
SCSI_CLASS = "/sys/class/scsi_generic"
SCSI_SCANNER, SCSI_PROCESSOR = "6", "3"  # of old scanners of HP and others
IPP_OVER_USB = (0x07, 0x01, 0x04)
SCANNER_LIKE = (CLASS_VENDOR, CLASS_APPLICATION)  # of interfaces: what scanners have


class Options:
    """The command line."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.verbose = 0
        self.quiet = self.force = self.parallel = self.help = False
        self.file = ""
        self.devices: list[str] = []
        self.mistake = ""
        rest = list(arguments)
        while rest and not self.mistake:
            word = rest.pop(0)
            if word in ("-?", "-h", "--help"):
                self.help = True
            elif word[:1] != "-" or word == "-":
                self.devices.append(word)
            else:
                self._letters(word[1:], rest)

    def _letters(self, letters: str, rest: list[str]) -> None:
        for position, letter in enumerate(letters):
            if letter == "F":
                self.file = letters[position + 1 :] or (rest.pop(0) if rest else "")
                self.mistake = "" if self.file else "option -F needs the name of a file"
                return
            if letter not in "vqfph?":
                self.mistake = f"unknown option: -{letter}, try -h for help"
                return
            self.verbose += letter == "v"
            self.quiet |= letter == "q"
            self.force |= letter == "f"
            self.parallel |= letter == "p"
            self.help |= letter in "h?"


class Finder:
    """One run of the program."""

    def __init__(self, options: Options, environment: Environment) -> None:
        self.options = options
        self.environment = environment
        self.backends = usb_backends(environment)
        self.enabled = backend_names(environment, Debug("dll", environment))
        self.known = read_installed()
        self.count = 0

    def comment(self, text: str) -> None:
        """Print a line that is no scanner."""
        if not self.options.quiet:
            print(f"  # {text}" if text else "")

    def detail(self, text: str) -> None:
        """Print what is looked at."""
        if self.options.verbose:
            print(text)

    # USB

    def usb(self, devices: Sequence[BusDevice], is_real: bool = True) -> None:
        """Look at USB devices."""
        for bus_device in devices:
            self.detail(
                f"checking {bus_device.name} ({bus_device.vendor:04x}:{bus_device.product:04x})..."
            )
            if self.options.verbose > 1:
                describe(bus_device.descriptors)
            drivers = [name for name, backend in self.backends.items() if backend.known(bus_device)]
            wanted = drivers or (bus_device.vendor, bus_device.product) in self.known
            if not (wanted or self.options.force or looks_like_scanner(bus_device)):
                self.detail("  not a scanner")
                continue
            self.count += 1
            print(f"found possible USB scanner ({ids(bus_device)}) at {bus_device.name}")
            for text in self.drivers_of(bus_device, drivers):
                self.comment(f"  {text}")
            if is_real:
                self.comment(f"  access: {access(bus_device, self.interface(bus_device, drivers))}")

    def interface(self, bus_device: BusDevice, drivers: Sequence[str]) -> int | None:
        """Return the number of the interface that a driver would claim, None without one."""
        chosen = self.backends[drivers[0]].interface(bus_device) if drivers else None
        chosen = chosen or scanner_interface(bus_device.descriptors, bus_device.configuration)
        return None if chosen is None else chosen.number

    def drivers_of(self, bus_device: BusDevice, drivers: Sequence[str]) -> list[str]:
        """Return lines that say which driver takes *bus_device*, and what it takes to use it."""
        lines = []
        for name in drivers:
            texts = self.backends[name].known(bus_device)
            text = f"driver: {name}, as {' '.join(texts)}" if texts else f"driver: {name}"
            if name not in self.enabled:
                text += f" (not in use: write {name} into dll.conf)"
            elif not self.backends[name].wanted(bus_device):
                text += f" (not listed: {name}.conf names other devices only)"
            lines.append(text)
        vendor, product = bus_device.vendor, bus_device.product
        other = self.known.get((vendor, product))
        if other is not None:
            known_as = f", as {other}" if other else ""
            lines.append(f"driver: one of the C drivers of SANE{known_as}")
        classes = {item.class_ for item in bus_device.descriptors.active(bus_device.configuration)}
        if IPP_OVER_USB in classes:
            lines.append("driver: none needed, it speaks IPP over USB: run ipp-usb, use escl")
        return lines or [
            f"driver: none knows {vendor:04x}:{product:04x}; if one should fit, write "
            f"'usb 0x{vendor:04x} 0x{product:04x}' into its .conf file"
        ]

    # Others

    def scsi(self, wanted: Sequence[str]) -> None:
        """Look at the SCSI devices that the kernel calls scanners; *wanted*: only these nodes."""
        try:
            names = sorted(os.listdir(SCSI_CLASS))
        except OSError:
            names = []
        for name in names:
            node = f"/dev/{name}"
            if wanted and node not in wanted:
                continue
            kind, vendor, model = (
                read_line(f"{SCSI_CLASS}/{name}/device/{part}")
                for part in ("type", "vendor", "model")
            )
            self.detail(f"checking {node} (type {kind})...")
            if kind in (SCSI_SCANNER, SCSI_PROCESSOR) or (self.options.force and wanted):
                self.count += 1
                what = "scanner" if kind == SCSI_SCANNER else "processor"
                print(f'found SCSI {what} "{vendor} {model}" at {node}')
                self.comment(f"  access: {why_denied(node) or 'allowed'}")
                self.comment("  PySANE has no drivers for SCSI; the C drivers of SANE do.")

    def run(self) -> int:
        """Look at everything, or at what the command line names; return the exit status."""
        options = self.options
        missing = []
        if options.file:
            try:
                self.usb(parse_devices(options.file), is_real=False)
            except OSError as exc:
                print(f"{options.file}: {exc.strerror}", file=sys.stderr)
                return 1
        elif options.devices:
            devices = sysfs.devices()
            for name in options.devices:
                found = [
                    bus_device
                    for bus_device in devices
                    if name in (bus_device.name, bus_device.node)
                ]
                self.usb(found)
                if not found and not name.startswith("/dev/sg"):
                    missing.append(name)
            self.scsi([name for name in options.devices if name.startswith("/dev/sg")] or [""])
        else:
            self.scsi(())
            self.usb(sysfs.devices())
        for name in missing:
            reason = why_no_usb()
            text = f"USB devices cannot be looked for: {reason}" if reason else ""
            self.comment(f"{name}: {text or 'no USB device is there.'}")
        self.summary()
        return 0

    def summary(self) -> None:
        """Say what to do next."""
        self.comment("")
        if self.count:
            self.comment("scanimage -L shows those of them that a driver in use finds.")
        elif not self.options.devices:
            reason = why_no_usb()
            if reason:
                self.comment(f"USB devices cannot be looked for: {reason}")
                self.comment("(no USB in this machine or container, or /sys is not mounted).")
            else:
                self.comment("No scanner is connected by USB or SCSI, or it is switched off; lsusb")
                self.comment("shows all USB devices.")
            self.comment("Scanners in the network: scanimage -L.")
        if self.options.parallel:
            self.comment("Parallel ports were not looked at: PySANE has no drivers for them.")


def why_no_usb() -> str:
    """Return why no USB device can be found, "" if those that there are would be."""
    try:
        os.listdir(sysfs.ROOT)
    except OSError as exc:
        return f"{sysfs.ROOT}: {exc.strerror}"
    return ""


def looks_like_scanner(bus_device: BusDevice) -> bool:
    """Tell whether *bus_device* has an interface as scanners have; other devices have them too."""
    descriptors = bus_device.descriptors
    if descriptors.class_[0] not in (0, 0xEF, CLASS_VENDOR):
        return False
    classes = {item.class_[0] for item in descriptors.active(bus_device.configuration)}
    return bool(classes & set(SCANNER_LIKE))


def ids(bus_device: BusDevice) -> str:
    """Return ids and texts as the original program writes them."""
    parts = []
    for label, number, attribute in (
        ("vendor", bus_device.vendor, "manufacturer"),
        ("product", bus_device.product, "product"),
    ):
        text = bus_device.text(attribute)
        parts.append(f"{label}=0x{number:04x}" + (f" [{text}]" if text else ""))
    return ", ".join(parts)


def access(bus_device: BusDevice, interface: int | None) -> str:
    """Return whether *bus_device* can be opened by this user, and why not."""
    reason = why_denied(bus_device.node)
    if reason:
        return f"denied, {reason}"
    holder = who_holds(bus_device, interface) if interface is not None else ""
    if holder.startswith("kernel driver"):
        return f"allowed ({holder} has it and is detached while scanning)"
    return f"allowed, but in use by {holder}" if holder else "allowed"


def describe(descriptors: Descriptors) -> None:
    """Print what a device says of itself."""
    class_ = "/".join(f"{part:02x}" for part in descriptors.class_)
    print(f"  device {descriptors.vendor:04x}:{descriptors.product:04x}, class {class_}")
    for interface in descriptors.interfaces:
        class_ = "/".join(f"{part:02x}" for part in interface.class_)
        number = f"{interface.number}.{interface.alternate}"
        print(f"  configuration {interface.configuration}, interface {number}, class {class_}")
        for endpoint in interface.endpoints:
            print(f"    {endpoint!r}"[:-1].replace("<", ""))


def read_line(path: str) -> str:
    """Return the text of a small file, "" without one."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status: 0, 1 for a wrong command line."""
    options = Options(sys.argv[1:] if arguments is None else arguments)
    if options.mistake:
        print(options.mistake, file=sys.stderr)
        return 1
    if options.help:
        print(USAGE, end="")
        return 0
    return ended("sane-find-scanner", lambda: Finder(options, Environment.current()).run())


if __name__ == "__main__":
    sys.exit(main())
