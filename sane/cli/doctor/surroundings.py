"""Where this system runs: in a container, in a virtual machine, or on a machine of its own.

It reads what the kernel and the programs that make containers leave there; it judges nothing.
Source: systemd's container interface (/run/host/container-manager, /run/systemd/container).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .machine import Machine

MARKS = (("/.dockerenv", "Docker container"), ("/run/.containerenv", "Podman container"))
NAMES = {
    "docker": "Docker container",
    "podman": "Podman container",
    "lxc": "LXC container",
    "lxc-libvirt": "LXC container",
    "systemd-nspawn": "systemd-nspawn container",
    "wsl": "WSL system",
}
DMI = "/sys/class/dmi/id"
GUESTS = (
    ("QEMU", "QEMU"),
    ("KVM", "KVM"),
    ("VMware", "VMware"),
    ("VirtualBox", "VirtualBox"),
    ("innotek", "VirtualBox"),
    ("Xen", "Xen"),
    ("Virtual Machine", "Hyper-V"),
    ("Parallels", "Parallels"),
    ("Bochs", "Bochs"),
)


def container(machine: Machine) -> str:
    """Return what kind of container this is, "" if it is none."""
    for path, name in MARKS:
        if machine.exists(path):
            return name
    said = machine.read("/run/systemd/container") or machine.read("/run/host/container-manager")
    said = said.strip() or machine.variables.get("container", "")
    if said:
        return NAMES.get(said, "container")
    if "microsoft" in machine.read("/proc/sys/kernel/osrelease").lower():
        return NAMES["wsl"]
    return ""


def virtual_machine(machine: Machine) -> str:
    """Return which virtual machine this is, "" if none is known."""
    said = " ".join(machine.read(f"{DMI}/{name}") for name in ("sys_vendor", "product_name"))
    for mark, name in GUESTS:
        if mark in said:
            return name
    cpu = machine.read("/proc/cpuinfo")
    flags = next((line for line in cpu.splitlines() if line.startswith("flags")), "")
    return "a hypervisor" if " hypervisor" in flags else ""
