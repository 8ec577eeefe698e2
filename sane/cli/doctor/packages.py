"""How a package is installed here: the command of this system's distribution, and its name there.

It knows /etc/os-release and names; what a package is for is the caller's business.
Source: os-release(5).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .machine import Machine

DEBIAN, FEDORA, ARCH, SUSE = "debian", "fedora", "arch", "suse"
COMMANDS = {
    DEBIAN: "apt install",
    FEDORA: "dnf install",
    ARCH: "pacman -S",
    SUSE: "zypper install",
}
FAMILIES = {"ubuntu": DEBIAN, "rhel": FEDORA, "centos": FEDORA, "opensuse": SUSE}
# Debian's names, and what the others call it where that differs.
NAMES = {
    "libsane1": {FEDORA: "sane-backends", ARCH: "sane", SUSE: "sane-backends"},
    "libsane-common": {FEDORA: "sane-backends", ARCH: "sane", SUSE: "sane-backends"},
    "avahi-daemon": {FEDORA: "avahi", ARCH: "avahi", SUSE: "avahi"},
    "tesseract-ocr": {FEDORA: "tesseract", ARCH: "tesseract"},
}
LANGUAGE = "tesseract-ocr-"
OF_LANGUAGE = {FEDORA: "tesseract-langpack-", ARCH: "tesseract-data-"}


def family(machine: Machine) -> str:
    """Return whose packages this system has; Debian's where it does not say."""
    words: list[str] = []
    for line in machine.read("/etc/os-release").splitlines():
        key, _, value = line.partition("=")
        if key in ("ID", "ID_LIKE"):
            words += value.strip("\"'").split()
    found = [FAMILIES.get(word.partition("-")[0], word) for word in words]
    return next((word for word in found if word in COMMANDS), DEBIAN)


def install(machine: Machine, name: str) -> str:
    """Return the command that installs what Debian calls *name*."""
    whose = family(machine)
    if name.startswith(LANGUAGE):
        here = f"{OF_LANGUAGE.get(whose, LANGUAGE)}{name.removeprefix(LANGUAGE)}"
    else:
        here = NAMES.get(name, {}).get(whose, name)
    return machine.as_root(f"{COMMANDS[whose]} {here}")
