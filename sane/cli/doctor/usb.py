"""Area usb: every scanner on the bus, who takes it, who may use it, and who has it now.

It knows sysfs, device nodes, udev's database and groups; it opens no device.
Source: sane-find-scanner; Linux, Documentation/ABI/stable/sysfs-bus-usb; udev(7).
"""

from __future__ import annotations

import os
from stat import S_IMODE

from ...usb import sysfs
from ...usb.access import group_name, processes_with
from ...usb.descriptors import scanner_interface
from ...usb.rules import GROUP, UDEV_FOLDERS, read_installed
from ...usb_backend import UsbBackend
from ..find import IPP_OVER_USB, looks_like_scanner
from .configuration import Line, dll_lines, enabled, find_file, loaded
from .finding import FAULT, OK, UNKNOWN, WARNING, Finding
from .machine import quoted
from .packages import install
from .surroundings import container, virtual_machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...usb.sysfs import BusDevice
    from .machine import Machine

MATCHED = "libsane_matched=yes"  # what udev's rules for scanners set
SAVES_POWER = "auto"
IPP_USB = "ipp-usb"
PROGRAMS_DRIVER = "usbfs"  # the kernel's, for interfaces that programs have claimed


class UsbScanner:
    """A device on the bus that is a scanner, or may be one.

    drivers: ours that take it, by name. c_model: what the distribution's hardware database calls
    it, None if it does not have it: then a C driver of SANE takes it. is_guess: only its
    interfaces look like a scanner's.
    """

    __slots__ = ("bus_device", "c_model", "drivers", "is_guess", "is_ipp")

    def __init__(
        self, bus_device: BusDevice, drivers: dict[str, UsbBackend], c_model: str | None
    ) -> None:
        self.bus_device = bus_device
        self.drivers = drivers
        self.c_model = c_model
        active = bus_device.descriptors.active(bus_device.configuration)
        self.is_ipp = IPP_OVER_USB in {item.class_ for item in active}
        self.is_guess = not (drivers or c_model is not None or self.is_ipp)

    @property
    def name(self) -> str:
        """Its device name."""
        return self.bus_device.name

    @property
    def text(self) -> str:
        """What sentences call it."""
        one = self.bus_device
        known = [texts for driver in self.drivers.values() if (texts := driver.known(one))]
        words = known[0] if known else (one.text("manufacturer"), one.text("product"))
        said = " ".join(word for word in words if word) or self.c_model or "USB device"
        return f"{said} ({one.vendor:04x}:{one.product:04x} at {one.name})"

    def interface(self) -> int | None:
        """Return the number of the interface that a driver or ipp-usb claims, None without one."""
        one = self.bus_device
        chosen = next((driver.interface(one) for driver in self.drivers.values()), None)
        chosen = chosen or scanner_interface(one.descriptors, one.configuration)
        for interface in one.descriptors.active(one.configuration):
            if chosen is None and interface.class_ == IPP_OVER_USB:
                chosen = interface
        return None if chosen is None else chosen.number


def scanners(machine: Machine) -> list[UsbScanner]:
    """Return the scanners on the bus."""
    return machine.once("usb scanners", lambda: list(_scanners(machine)))


def _scanners(machine: Machine) -> Iterator[UsbScanner]:
    known = read_installed([machine.path(folder) for folder in UDEV_FOLDERS])
    backends = {
        name: one for name, (one, _) in loaded(machine).items() if isinstance(one, UsbBackend)
    }
    for bus_device in sysfs.devices(machine.path(sysfs.ROOT)):
        drivers = {name: one for name, one in backends.items() if one.known(bus_device)}
        found = UsbScanner(bus_device, drivers, known.get((bus_device.vendor, bus_device.product)))
        if not found.is_guess or looks_like_scanner(bus_device):
            machine.private.note("SERIAL", bus_device.text("serial"))
            yield found


def sure(machine: Machine) -> list[UsbScanner]:
    """Return those that are known to be scanners, by a driver, a database or their class."""
    return [one for one in scanners(machine) if not one.is_guess]


def bus(machine: Machine) -> Iterator[Finding]:
    """Whether there is a USB at all, and whether a scanner is on it."""
    inside = container(machine)
    has_nodes = os.path.isdir(machine.path(sysfs.NODES))
    if not os.path.isdir(machine.path(sysfs.ROOT)):
        text = f"There is no {sysfs.ROOT}: this machine has no USB"
        if inside:
            text = f"This {inside} sees no USB: {sysfs.ROOT} is not there"
        yield Finding(WARNING, f"{text}; USB scanners cannot be found.", pass_through(inside))
        return
    found = scanners(machine)
    if found and inside and not has_nodes:
        text = (
            f"The {inside} sees {found[0].text}, but {sysfs.NODES} is not passed through to it: "
            "no device can be opened."
        )
        yield Finding(FAULT, text, pass_through(inside))
    elif sure(machine):
        count = len(sure(machine))
        yield Finding(OK, f"{count} {'scanner is' if count == 1 else 'scanners are'} on the USB.")
    elif guest := virtual_machine(machine):
        text = (
            f"No scanner is on the USB of this virtual machine ({guest}): a scanner at the host "
            "has to be passed through to it, in the settings of the virtual machine."
        )
        yield Finding(WARNING, text, "lsusb")
    else:
        text = "No scanner is connected by USB, or it is switched off; lsusb shows all devices."
        yield Finding(OK, text)


def pass_through(inside: str) -> str:
    """Return how a container is started so that it has the USB devices."""
    if inside == "LXC container":
        return "lxc config device add CONTAINER scanner usb vendorid=VVVV productid=PPPP"
    if inside:
        program = "podman" if "podman" in inside.lower() else "docker"
        return f"{program} run --device /dev/bus/usb IMAGE"
    return ""


def drivers(machine: Machine) -> Iterator[Finding]:
    """Which driver takes each scanner, and whether it is in use."""
    in_use = enabled(machine)
    without = "There is no USB scanner that needs a driver."
    yield from of_each(scanners(machine), lambda one: _driver(machine, one, in_use), without)


def of_each(
    found: list[UsbScanner], check: Callable[[UsbScanner], Finding], without: str
) -> Iterator[Finding]:
    """Yield what *check* says of each scanner; *without*: what is said where there is none."""
    for one in found:
        yield check(one).about(one.name)
    if not found:
        yield Finding(OK, without, is_idle=True)


def _driver(machine: Machine, one: UsbScanner, in_use: list[str]) -> Finding:
    active = [name for name in one.drivers if name in in_use]
    wanting = [name for name in active if one.drivers[name].wanted(one.bus_device)]
    if wanting:
        return Finding(OK, f"{one.text}: driver {wanting[0]} takes it.")
    if active:
        file = find_file(machine, f"{active[0]}.conf")
        text = f"{one.text}: driver {active[0]} could take it, but {file} names other devices only."
        return Finding(FAULT, text, machine.append("usb auto", file))
    if one.drivers:
        return _not_in_use(machine, one, next(iter(one.drivers)))
    if one.is_ipp:
        return _driverless(machine, one, "escl" in in_use)
    if one.c_model is not None:
        return _of_c_driver(machine, one)
    vendor, product = f"{one.bus_device.vendor:04x}", f"{one.bus_device.product:04x}"
    text = (
        f"{one.text}: no driver knows it; it may be no scanner. If a driver should fit, add the "
        f"line 'usb 0x{vendor} 0x{product}' to its .conf file."
    )
    return Finding(UNKNOWN, text)


def _driverless(machine: Machine, one: UsbScanner, has_escl: bool) -> Finding:
    text = f"{one.text}: it needs no driver but ipp-usb and escl"
    if has_escl:
        return Finding(OK, f"{text}, which is in use.")
    return Finding(FAULT, f"{text}, and escl is not in dll.conf.", enabling(machine, "escl"))


def _of_c_driver(machine: Machine, one: UsbScanner) -> Finding:
    text = f"{one.text}: none of PySANE's drivers takes it, but one of the C drivers of SANE"
    if any(machine.names(f"/usr/lib/{folder}") for folder in c_folders()):
        return Finding(OK, f"{text}.")
    command = install(machine, "libsane1")
    return Finding(FAULT, f"{text}, which are not installed.", command)


def c_folders() -> list[str]:
    """Return where the distribution keeps C backends, below /usr/lib."""
    import sys

    return [f"{getattr(sys.implementation, '_multiarch', '')}/sane", "sane"]


def _not_in_use(machine: Machine, one: UsbScanner, driver: str) -> Finding:
    commented = [line for line in dll_lines(machine) if line.is_comment and line.name == driver]
    if commented:
        where = f"commented out in {commented[0].file}, line {commented[0].number}"
    else:
        where = "not in dll.conf"
    text = f"{one.text}: driver {driver} would take it, but is {where}."
    command = enabling(machine, driver, commented[0] if commented else None)
    folder = f"{user_folder(machine)}/sane.d"
    files = {}
    if command.startswith("sudo ") or "| sudo " in command:
        own = [line for line in dll_lines(machine) if not line.is_comment]
        names = [line.name for line in own if line.file == find_file(machine)]
        files = {f"{folder}/dll.conf": "".join(f"{name}\n" for name in [*names, driver])}
    after = f"export SANE_CONFIG_DIR={quoted(f'{folder}:')}"
    return Finding(FAULT, text, command, files=files, after=after)


def user_folder(machine: Machine) -> str:
    """Return the folder of this user's configuration of PySANE."""
    base = machine.variables.get("XDG_CONFIG_HOME", "")
    return f"{base if os.path.isabs(base) else f'{machine.account.home}/.config'}/pysane"


def enabling(machine: Machine, name: str, line: Line | None = None) -> str:
    """Return the command that puts backend *name* into dll.conf, where *line* has it in a #."""
    if line is not None:
        change = quoted(f"{line.number}s/^[# ]*//")
        return machine.as_root(f"sed -i {change} {quoted(line.file)}", line.file)
    return machine.append(name, find_file(machine) or "/etc/sane.d/dll.conf")


# Access


def access(machine: Machine) -> Iterator[Finding]:
    """Whether this user may open each scanner, and what he lacks otherwise."""
    without = "There is no USB scanner to which access is needed."
    yield from of_each(sure(machine), lambda one: _access(machine, one), without)


def _access(machine: Machine, one: UsbScanner) -> Finding:
    node = one.bus_device.node
    path = machine.path(node)
    try:
        info = os.stat(path)
    except OSError as exc:
        text = f"{one.text}: {node}: {exc.strerror}: nobody can open the device."
        return Finding(FAULT, text, pass_through(container(machine)))
    if os.access(path, os.R_OK | os.W_OK):
        return Finding(OK, f"{one.text}: this user may use it.")
    mode, group = S_IMODE(info.st_mode), group_name(info.st_gid)
    shown = f"{one.text}: this user may not write to {node} (mode {mode:04o}, group {group})"
    is_of_group = info.st_gid != 0 and mode & 0o060 == 0o060  # nobody is to join root's group
    if is_of_group and info.st_gid not in machine.account.groups:
        if info.st_gid in machine.account.listed:
            text = f"{shown}: the user was added to the group {group}, but has not logged in again."
            return Finding(FAULT, text, f"newgrp {quoted(group)}")
        text = f"{shown}: the user is not in the group {group}; log out and in again after it."
        return Finding(FAULT, text, f'sudo usermod -aG {quoted(group)} "$USER"')
    text = f"{shown}: a udev rule for this device is missing."
    return Finding(FAULT, text, udev_command(one))


def udev_command(one: UsbScanner) -> str:
    """Return the command that gives the device to scanner users, now and after each start."""
    vendor, product = f"{one.bus_device.vendor:04x}", f"{one.bus_device.product:04x}"
    rule = (
        f'ATTR{{idVendor}}=="{vendor}", ATTR{{idProduct}}=="{product}", MODE="0664", '
        f'GROUP="{GROUP}", ENV{{libsane_matched}}="yes", TAG+="uaccess"'
    )
    file = f"/etc/udev/rules.d/60-scanner-{vendor}-{product}.rules"
    reload = "sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=usb"
    return f"echo {quoted(rule)} | sudo tee {file} && {reload}"


def rules(machine: Machine) -> Iterator[Finding]:
    """Whether udev knows each scanner as one."""
    without = "There is no USB scanner that needs a udev rule."
    yield from of_each(sure(machine), lambda one: _rule(machine, one), without)


def _rule(machine: Machine, one: UsbScanner) -> Finding:
    entry = udev_entry(machine, one.bus_device)
    again = "sudo udevadm trigger --subsystem-match=usb"
    if not machine.exists("/run/udev/data"):
        text = f"{one.text}: udev does not run here, so no rule gives access to the device."
        return Finding(UNKNOWN, text)
    if entry is None:
        return Finding(UNKNOWN, f"{one.text}: udev's database does not have the device.", again)
    if MATCHED in entry:
        return Finding(OK, f"{one.text}: a udev rule knows it as a scanner.")
    if one.is_ipp and not one.drivers:
        return Finding(OK, f"{one.text}: ipp-usb needs no udev rule for it.")
    if file := rule_file(machine, one.bus_device):
        text = f"{one.text}: a rule in {file} names it, but was not applied: plug it in again."
        return Finding(WARNING, text, again)
    return Finding(WARNING, f"{one.text}: no udev rule knows it.", udev_command(one))


def udev_entry(machine: Machine, bus_device: BusDevice) -> str | None:
    """Return what udev's database says of a device, None if it does not have it."""
    name = f"/run/udev/data/c{bus_device.text('dev')}"
    return machine.read(name) if machine.exists(name) else None


def rule_file(machine: Machine, bus_device: BusDevice) -> str:
    """Return the file of udev rules that names the ids of a device, "" without one."""
    vendor, product = f'"{bus_device.vendor:04x}"', f'"{bus_device.product:04x}"'
    for folder in UDEV_FOLDERS:
        for name in machine.names(f"{folder}/rules.d"):
            text = machine.read(f"{folder}/rules.d/{name}").lower()
            if any(vendor in line and product in line for line in text.splitlines()):
                return f"{folder}/rules.d/{name}"
    return ""


# Who has it


def holders(machine: Machine) -> Iterator[Finding]:
    """Whether another program has a scanner open."""
    without = "There is no USB scanner that a program could hold."
    yield from of_each(sure(machine), lambda one: _holder(machine, one), without)


def _holder(machine: Machine, one: UsbScanner) -> Finding:
    users = processes_with(machine.path(one.bus_device.node))
    others = [(pid, name) for pid, name in users if name != IPP_USB]
    interface = one.interface()
    kernel = "" if interface is None else one.bus_device.driver(interface)
    if others:
        names = ", ".join(f"{name} (pid {pid})" for pid, name in others)
        text = f"{one.text}: in use by {names}: end it to scan with another program."
        return Finding(FAULT, text, f"kill {others[0][0]}")
    if users or (one.is_ipp and kernel == PROGRAMS_DRIVER):
        return _held_by_ipp_usb(one, [pid for pid, _ in users])
    if kernel == PROGRAMS_DRIVER:
        text = f"{one.text}: in use by a program of another user; only root can see which."
        return Finding(FAULT, text, f"sudo fuser -v {one.bus_device.node}")
    if one.is_ipp and not one.drivers:
        text = f"{one.text}: ipp-usb does not run, so nobody makes it a network scanner."
        return Finding(FAULT, text, install(machine, "ipp-usb"), id="usb.ipp-usb")
    if kernel:
        text = f"{one.text}: the kernel's driver {kernel} has it, and is detached while scanning."
        return Finding(OK, text)
    return Finding(OK, f"{one.text}: no other program has it open.")


def _held_by_ipp_usb(one: UsbScanner, pids: list[int]) -> Finding:
    who = f"ipp-usb (pid {pids[0]})" if pids else "ipp-usb"
    if not one.drivers:
        text = f"{one.text}: {who} has it and makes it a network scanner, which escl finds."
        return Finding(OK, text, id="usb.ipp-usb")
    text = (
        f"{one.text}: {who} has it; the driver {next(iter(one.drivers))} cannot open it meanwhile. "
        "Scan with escl, or stop ipp-usb."
    )
    return Finding(WARNING, text, "sudo systemctl disable --now ipp-usb", id="usb.ipp-usb")


def autosuspend(machine: Machine) -> Iterator[Finding]:
    """Whether the kernel may put a scanner to sleep."""
    asleep = 0
    for one in sure(machine):
        if one.bus_device.text("power/control") == SAVES_POWER:
            asleep += 1
            text = (
                f"{one.text}: the kernel puts it to sleep when it is idle (autosuspend), and "
                "some scanners do not wake up."
            )
            command = f"echo on | sudo tee {one.bus_device.path}/power/control"
            yield Finding(WARNING, text, command).about(one.name)
    if not asleep:
        yield Finding(OK, "No USB scanner is put to sleep when it is idle.", is_idle=True)
