"""Area installation: which libsane programs use, which copies there are, which versions.

It knows the dynamic linker's search and Python's; it loads no library.
Source: ld.so(8); c-abi-and-dll 3.1; docs/install.md.
"""

from __future__ import annotations

import os
import platform
import re
import sys

from ... import __version__
from ...dll.config import backend_names
from ...dll.libraries import libraries
from .finding import FAULT, OK, WARNING, Finding
from .listener import Listener
from .machine import quoted
from .packages import install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .machine import Machine

LIBRARY = "libsane.so.1"
VERSION = re.compile(r"\d+(?:\.\d+)+")
MARK = b"/pysane.runtime"  # a text in each library of ours, stripped or not
LIBRARY_BYTES = 8 << 20  # ours has some hundred KiB
MARKS = {"x86_64": "x86-64", "aarch64": "AArch64"}  # of this processor's libraries in the cache
LDCONFIG = ("/sbin/ldconfig", "/usr/sbin/ldconfig")
OFFERED = "pysane"  # the C backend by which another libsane offers our drivers


class Libsane:
    """A libsane.so.1: *path* as the linker finds it, *real* without links, and whether it is ours.

    is_everybodys: the linker's cache has it; False: LD_LIBRARY_PATH of whoever asks.
    """

    __slots__ = ("is_everybodys", "is_ours", "path", "real")

    def __init__(self, machine: Machine, path: str, is_everybodys: bool) -> None:
        self.path = path
        self.real = os.path.realpath(machine.path(path))
        self.is_everybodys = is_everybodys
        with open(self.real, "rb") as file:
            self.is_ours = MARK in file.read(LIBRARY_BYTES)

    @property
    def text(self) -> str:
        """What a sentence calls it."""
        return f"{'PySANE' if self.is_ours else 'the distribution'}'s libsane, {self.path}"


def libsanes(machine: Machine) -> list[Libsane]:
    """Return the libraries that a program may get, in the linker's order, each file once."""
    return machine.once("libsanes", lambda: list(_libsanes(machine)))


def _libsanes(machine: Machine) -> Iterator[Libsane]:
    seen: set[str] = set()
    folders = machine.variables.get("LD_LIBRARY_PATH", "").replace(";", ":").split(":")
    places = [(f"{folder}/{LIBRARY}", False) for folder in folders if folder]
    for path, is_everybodys in [*places, *((path, True) for path in cached(machine))]:
        try:
            found = Libsane(machine, path, is_everybodys)
        except OSError:
            continue
        if found.real not in seen:
            seen.add(found.real)
            yield found


def cached(machine: Machine) -> list[str]:
    """Return the paths of libsane.so.1 in the linker's cache, of this processor's kind."""
    program = next((path for path in LDCONFIG if os.path.exists(path)), "")
    if not program:
        raise FileNotFoundError(2, "No such file or directory", LDCONFIG[0])
    text = machine.output(program, "-p", "-C", machine.path("/etc/ld.so.cache"))
    mark = MARKS.get(platform.machine(), "") if sys.maxsize > 1 << 32 else ""
    paths = []
    for line in text.splitlines():
        name, arrow, path = line.strip().partition(" => ")
        if arrow and name.split(" ")[0] == LIBRARY and mark in name:
            paths.append(path)
    return paths


def own_library(machine: Machine) -> str:
    """Return our libsane.so.1, as it lies beside this package, "" if only Python was installed."""
    package = machine.package
    beside = os.path.dirname(os.path.dirname(package))  # PREFIX/lib of PREFIX/lib/pysane/sane
    for path in (f"{package}/lib/{LIBRARY}", f"{beside}/{LIBRARY}"):
        if os.path.exists(path):
            return path
    return ""


def library(machine: Machine) -> Iterator[Finding]:
    """Which libsane.so.1 scanimage and other C programs use."""
    found = libsanes(machine)
    own = own_library(machine)
    if not found:
        folder = os.path.dirname(own)
        text = "C programs such as scanimage find no libsane.so.1"
        if own:
            text += f"; PySANE's is in {folder}, where the linker does not look"
        command = make_first(machine, folder) if own else install(machine, "libsane1")
        yield Finding(WARNING, f"{text}.", command)
        return
    first = found[0]
    where = "" if first.is_everybodys else ", by LD_LIBRARY_PATH"
    text = f"C programs such as scanimage use {first.text}{where}"
    if first.is_ours:
        yield Finding(OK, f"{text}.")
    elif is_offered(machine):
        yield Finding(OK, f"{text}, which offers PySANE's drivers, too (backend {OFFERED}).")
    elif not own and not any(one.is_ours for one in found):
        yield Finding(OK, f"{text}; PySANE is installed for Python programs only.")
    else:
        ours = next((one.path for one in found if one.is_ours), own)
        folder = os.path.dirname(ours)
        yield Finding(WARNING, f"{text}, not PySANE's in {folder}.", make_first(machine, folder))


def is_offered(machine: Machine) -> bool:
    """Tell whether another libsane offers our drivers: dll.conf or dll.d names our C backend."""
    names = backend_names(machine.environment, Listener("dll"))
    return OFFERED in names and bool(libraries(OFFERED, machine.environment))


def make_first(machine: Machine, folder: str) -> str:
    """Return the command that lets the linker find the libraries in *folder* first."""
    file = "/etc/ld.so.conf.d/00-pysane.conf"
    return f"{machine.append(folder, file)} && {machine.as_root('ldconfig')}"


def copies(machine: Machine) -> Iterator[Finding]:
    """Whether several libraries or packages of one kind stand in each other's way."""
    found = libsanes(machine)
    ours, theirs = [[one for one in found if one.is_ours == is_ours] for is_ours in (True, False)]
    for kind in (ours, theirs):
        if len(kind) > 1:
            others = ", ".join(one.path for one in kind[1:])
            text = f"There are {len(kind)} copies of {kind[0].text}; not used: {others}."
            command = f"ls -l {' '.join(quoted(one.path) for one in kind)}"
            yield Finding(WARNING, text, command)
    packages = our_packages(machine)
    if len(packages) > 1:
        text = (
            f"There are {len(packages)} copies of the Python package of PySANE; "
            f"this program uses {packages[0]}, not used: {', '.join(packages[1:])}."
        )
        yield Finding(WARNING, text, "python3 -m pip uninstall sane-stack")
    if len(ours) <= 1 and len(theirs) <= 1 and len(packages) <= 1:
        yield Finding(OK, "There is one copy of each library and package.")


def our_packages(machine: Machine) -> list[str]:
    """Return the folders of our package that Python's path leads to, the one in use first."""
    own = os.path.realpath(machine.package)
    found = [own]
    for folder in python_path(machine):
        path = os.path.realpath(os.path.join(folder, "sane"))
        if path not in found and _is_ours(path):
            found.append(path)
    return found


def python_path(machine: Machine) -> list[str]:
    """Return where Python programs of this user look for modules."""
    asked = machine.variables.get("PYTHONPATH", "").split(":")
    return list(dict.fromkeys(folder for folder in [*asked, *machine.modules] if folder))


def _is_ours(path: str) -> bool:
    try:
        with open(f"{path}/__init__.py", encoding="utf-8", errors="replace") as file:
            return "__pysane__" in file.read()
    except OSError:
        return False


def python_sane(machine: Machine) -> Iterator[Finding]:
    """Whether python-sane or another module is beside us, and which one ``import sane`` gives."""
    ours = theirs = stranger = ""
    for folder in python_path(machine):
        names = _names(folder)
        if _is_ours(os.path.join(folder, "sane")):
            ours = ours or folder
        elif "sane.py" in names and any(name.startswith("_sane.") for name in names):
            theirs = theirs or folder
        elif not ours and not theirs:
            stranger = stranger or _other_module(folder)
    command = f"export PYTHONPATH={quoted(os.path.dirname(machine.package))}"
    path = python_path(machine)
    if stranger:
        text = f"import sane gives another module, {stranger}, and not PySANE."
        yield Finding(WARNING, text, command)
    elif not theirs:
        yield Finding(OK, "python-sane is not installed beside PySANE.")
    elif ours and path.index(ours) <= path.index(theirs):
        text = f"python-sane is in {theirs} as well; import sane gives PySANE."
        yield Finding(OK, text)
    else:
        text = f"import sane gives python-sane, in {theirs}, and not PySANE."
        yield Finding(WARNING, text, command)


def _other_module(folder: str) -> str:
    """Return the file that ``import sane`` would load from *folder*, "" if there is none."""
    for name in ("sane/__init__.py", "sane.py"):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return path
    return ""


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def versions(machine: Machine) -> Iterator[Finding]:
    """Which versions are at work, for a report."""
    system = ""
    for line in machine.read("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            system = line.partition("=")[2].strip('"')
    python = platform.python_version()
    kernel = f"{platform.system()} {platform.release()} {platform.machine()}"
    compiled = "compiled" if is_compiled() else "not compiled"
    text = f"PySANE {__version__} ({compiled}), Python {python}, {system or 'unknown'}, {kernel}"
    program = machine.program("scanimage")
    said = machine.output(program, "-V").strip() if program else "no scanimage"
    for number in VERSION.findall(f"{kernel} {said}"):
        machine.private.keep(number)
    yield Finding(OK, f"{text}; {said or f'{program} does not start'}.")


def is_compiled() -> bool:
    """Tell whether the modules are there that C backends and C programs need."""
    try:
        from ...dll import native  # noqa: F401
    except ImportError:
        return False
    return True


def folders(machine: Machine) -> Iterator[Finding]:
    """Where configuration files are looked for."""
    from ...config import DEFAULT_DIRECTORIES, directories

    value = machine.environment.get("SANE_CONFIG_DIR")
    found = [folder for folder in directories(machine.environment) if os.path.isdir(folder or "/")]
    if value is None:
        if os.path.isdir(machine.path(DEFAULT_DIRECTORIES[1])):
            yield Finding(OK, "Configuration files are in /etc/sane.d.")
        elif os.path.exists(f"{machine.package}/lib/pysane/dll.conf"):  # a wheel's own
            text = "There is no folder /etc/sane.d: PySANE uses all its drivers, as they are."
            yield Finding(OK, text)
        else:
            text = "There is no folder /etc/sane.d: no backend is configured."
            yield Finding(FAULT, text, install(machine, "libsane-common"))
        return
    wanted = [folder for folder in value.split(":") if folder]
    missing = [folder for folder in wanted if folder not in found]
    shown = f"SANE_CONFIG_DIR is set to {value}"
    if missing or not found:
        text = f"{shown}, but there is no folder {' or '.join(missing or wanted)}."
        yield Finding(FAULT, text, "unset SANE_CONFIG_DIR")
    elif value.endswith(":"):
        yield Finding(OK, f"{shown}; /etc/sane.d is read after it.")
    else:
        text = f"{shown}: programs started from here do not read /etc/sane.d."
        yield Finding(WARNING, text, "unset SANE_CONFIG_DIR")
