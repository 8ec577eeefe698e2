"""Area configuration: files with lines that nobody understands, and backends that are not there.

It knows how the registry reads its files, and listens to what the readers complain about; the
files of C backends are not read, since only these know what they mean.
"""

from __future__ import annotations

import os
import re

from ... import config
from ...backend import Context
from ...dll.config import Aliases, backend_names
from ...dll.finder import EntryPoints, find_backend, is_in_python
from ...dll.libraries import libraries
from ...dll.pysane_conf import PysaneConf
from ...errors import SaneError
from ...sessions.access import Access
from ...sessions.users import Users
from ..drivers import names as driver_names
from .finding import FAULT, OK, WARNING, Finding
from .installation import is_compiled
from .listener import Listener
from .machine import quoted
from .packages import install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...backend import Backend
    from .machine import Machine

PLACE = re.compile(r"(?P<file>[^\s:]+):(?P<line>\d+): ")
CLOSE_ENOUGH = 0.7  # of difflib's ratio: what may be a slip of the pen
MANY = 8  # missing backends: no slip, but a package that is not there
NOT_BACKENDS = ("dll", "pysane")


def enabled(machine: Machine) -> list[str]:
    """Return the backends that dll.conf and dll.d name, in the order of asking."""
    names = backend_names(machine.environment, Listener("dll"))
    return [name for name in names if name not in NOT_BACKENDS]


def loaded(machine: Machine) -> dict[str, tuple[Backend | None, list[str]]]:
    """Return the backends in Python, and what each complained about when it started.

    The enabled ones come first. None stands for one that cannot be loaded, its last complaint is
    the reason.
    """
    return machine.once("loaded", lambda: dict(_loaded(machine)))


def _loaded(machine: Machine) -> Iterator[tuple[str, tuple[Backend | None, list[str]]]]:
    entry_points = EntryPoints()
    for name in dict.fromkeys([*enabled(machine), *driver_names(machine.environment)]):
        if is_in_python(name, machine.environment, entry_points):
            yield name, _load(machine, name, entry_points)


def _load(
    machine: Machine, name: str, entry_points: EntryPoints
) -> tuple[Backend | None, list[str]]:
    listener = Listener(name)
    try:
        kind = find_backend(name, machine.environment, listener, entry_points)
        backend = kind(name, Context(machine.environment))
        backend.debug = listener
        backend.init()
    except Exception as exc:  # a mistake in it is what is looked for
        return None, [*listener.heard, f"{type(exc).__name__}: {exc}"]
    return backend, listener.heard


def complaints(machine: Machine) -> list[str]:
    """Return what the readers of all files say of lines that they do not understand."""
    environment, listener = machine.environment, Listener("dll")
    backend_names(environment, listener)
    Aliases.load(environment, listener)
    PysaneConf(environment, listener)
    heard = listener.heard + Access.read(environment).problems
    try:
        heard += Users.read(environment).problems
    except SaneError as exc:
        heard.append(str(exc))
    for name in enabled(machine):
        heard += loaded(machine).get(name, (None, ()))[1]
    return [text for text in dict.fromkeys(heard) if PLACE.match(text) and not is_of_old_bus(text)]


def is_of_old_bus(text: str) -> bool:
    """Tell whether a complaint is of a line about SCSI, as the distribution's files have them.

    PySANE drives no SCSI scanners, and says so; nobody has to repair that.
    """
    place = PLACE.match(text)
    return place is not None and "scsi" in text[place.end() :].lower()


def files(machine: Machine) -> Iterator[Finding]:
    """Lines that nobody understands."""
    found = complaints(machine)
    for text in found:
        place = PLACE.match(text)
        assert place is not None
        file, line = place["file"], place["line"]
        reason = text[place.end() :]
        shown = f"{file}, line {line}, is not understood and does nothing: {reason}."
        yield Finding(WARNING, shown, machine.edit(os.path.abspath(file)))
    if not found:
        yield Finding(OK, "Every line of the configuration files is understood.")


class Line:
    """A line of dll.conf or of a file in dll.d that names a backend, or did before a ``#``."""

    __slots__ = ("file", "is_comment", "name", "number")

    def __init__(self, line: config.Line) -> None:
        self.is_comment = line.is_comment
        token, rest = config.get_string(line.text.lstrip("#"))
        is_prose = self.is_comment and bool(rest.strip(config.WHITESPACE))
        self.name = "" if is_prose else (token or "").partition("#")[0]
        self.file = os.path.abspath(line.file)
        self.number = line.number


def dll_lines(machine: Machine) -> list[Line]:
    """Return the lines that name backends, those in comments too."""
    environment = machine.environment
    files = [f"dll.d/{name}" for name in config.directory_names(environment, "dll.d")]
    lines = [line for file in ["dll.conf", *files] for line in config.read(environment, file) or ()]
    return [one for one in map(Line, lines) if one.name]


def place_of(machine: Machine, name: str) -> Line | None:
    """Return the line that enables backend *name*."""
    lines = dll_lines(machine)
    return next((one for one in lines if one.name == name and not one.is_comment), None)


def backends(machine: Machine) -> Iterator[Finding]:
    """Backends that dll.conf names, and that are not there or cannot be used."""
    names = enabled(machine)
    if not names:
        file = find_file(machine)
        text = f"{file} names no backend" if file else "There is no dll.conf"
        command = machine.append("escl", file or "/etc/sane.d/dll.conf")
        yield Finding(FAULT, f"{text}: no scanner can be found.", command)
        return
    problems = [*missing_backends(machine, names), *broken_backends(machine, names)]
    yield from problems
    if not problems:
        yield Finding(OK, f"All {len(names)} backends in dll.conf are installed.")


def missing_backends(machine: Machine, names: list[str]) -> Iterator[Finding]:
    """Those of *names* that are nowhere, or in C where only Python is."""
    environment, entry_points = machine.environment, EntryPoints()
    others = [name for name in names if not is_in_python(name, environment, entry_points)]
    missing = [name for name in others if not libraries(name, environment)]
    if len(missing) > MANY:
        yield _many_missing(machine, missing)
    else:
        known = driver_names(environment)
        for name in missing:
            yield _missing(machine, name, known)
    in_c = sorted(set(others) - set(missing))
    if in_c and not is_compiled():
        text = "Python programs cannot use the C backends in dll.conf, since PySANE is not compiled"
        yield Finding(WARNING, f"{text}: {', '.join(in_c)}.")


def broken_backends(machine: Machine, names: list[str]) -> Iterator[Finding]:
    """Those of *names* that are there in Python, and do not load."""
    for name in names:
        backend, said = loaded(machine).get(name, (None, []))
        if backend is None and said:
            yield Finding(FAULT, f"Backend {name} is there, but cannot be loaded: {said[-1]}.")


def find_file(machine: Machine, name: str = "dll.conf") -> str:
    """Return the path of the configuration file that is read, "" without one."""
    lines = config.read(machine.environment, name)
    if lines:
        return os.path.abspath(lines[0].file)
    for folder in config.directories(machine.environment):
        if os.path.isfile(f"{folder}/{name}"):
            return os.path.abspath(f"{folder}/{name}")
    return ""


def _missing(machine: Machine, name: str, known: Iterable[str]) -> Finding:
    from difflib import get_close_matches

    line = place_of(machine, name)
    assert line is not None
    close = get_close_matches(name, known, 1, CLOSE_ENOUGH)
    text = f"{line.file}, line {line.number}, names the backend {name}, which is not installed"
    text += f": is {close[0]} meant?" if close else "."
    change = f"{line.number}s/.*/{close[0]}/" if close else f"{line.number}s/^/#/"
    command = machine.as_root(f"sed -i {quoted(change)} {quoted(line.file)}", line.file)
    return Finding(WARNING, text, command)


def _many_missing(machine: Machine, missing: list[str]) -> Finding:
    text = f"dll.conf names {len(missing)} backends that are not installed: {', '.join(missing)}."
    return Finding(WARNING, text, install(machine, "libsane1"))
