"""The rules of the source tree: what may import what, sizes of files, what is not written.

Exceptions stand in tables here, each with its reason; a table entry that is no longer needed
fails too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

FILE_LINES = 500
FUNCTION_LINES = 60

# The rooms of the import rule, from the ground up: a module imports lower rows, what stands to its
# left in its row, and its own room. "" is the package itself.
ROWS = (
    (
        *("const", "errors", "param", "constraint", "config", "debug", "cancel", "threads"),
        *("option", "values", "handle"),
    ),
    ("record", "usb", "transport", "wire", "image", "discovery"),
    ("backend", "usb_backend", "network_backend"),
    ("backends", "net"),
    ("dll",),
    ("sessions", "pages", "scanner", "", "aio", "pagework"),
    ("abi", "testing", "saned", "web", "cli"),
)
DRIVERS = ROWS.index(("backends", "net"))  # none imports another
WAYS_IN = len(ROWS) - 1  # each imports another one only by its main
ONLY = {"image": ("const", "errors")}  # rooms that use less than their place allows
WITHOUT_IO = {"wire": {"socket", "_socket", "time", "os", "select"}}
NO_ROOM = ("reader", "sane_h")  # C types that several rooms need
IMPORTS_UPWARDS = {
    ("backend", "usb_backend"): "drivers import UsbBackend from backend, which gives it late",
}
FORBIDDEN = {  # on the load path, at module level: start-up is felt
    *("dataclasses", "logging", "typing", "socket", "re", "enum", "threading", "signal"),
    *("inspect", "asyncio", "importlib.metadata", "numpy", "usb", "functools", "contextlib"),
    *("collections", "subprocess", "ctypes", "json", "pathlib", "tempfile", "random", "urllib"),
}
OFF_THE_PATH = ("cli.", "saned", "testing.")  # programs of their own

# Exceptions, each with its reason.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
PYX_FOLDERS = ("abi", "usb", "image")
OTHER_PYX = {
    "backends/_epson/blocks.pyx": "a nogil reader beside what it reads",
    "sane/dll/native.pyx": "calls the functions of C backends",
    "sane/dll/spawn.pyx": "starts a process that the host cannot see: clone without SIGCHLD",
    "sane/sessions/pump.pyx": "calls the C function behind a reader's capsule, without the GIL",
}


FOLDERS = ("sane", "backends", "tests", "etc", "include", "docs", "bench", ".ci")


def files(*folders: str, suffixes: tuple[str, ...] = ()) -> list[Path]:
    """Return the files in *folders* of the tree with one of *suffixes*, none compiled."""
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and path.suffix in (suffixes or (path.suffix,))
        and "__pycache__" not in path.parts
        and not path.is_relative_to(ROOT / "sane" / "backends")  # a link
    )


SOURCES = files("sane", "backends", suffixes=(".py",))
CYTHON = files("sane", "backends", suffixes=(".pyx", ".pxd"))
TOP = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]  # a worktree's
EVERYTHING = [*files(*FOLDERS), *TOP]


def module_name(path: Path) -> str:
    """Return the module's name below the package, "" for the package itself."""
    relative = path.relative_to(ROOT).with_suffix("")
    parts = relative.parts[1:] if relative.parts[0] == "sane" else relative.parts
    return ".".join(part for part in parts if part != "__init__")


def of(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


# Imports


def package_of(module: str, is_package: bool) -> list[str]:
    """Return the parts of the package that a module's relative imports start from."""
    parts = [part for part in module.split(".") if part]
    return parts if is_package else parts[:-1]


def imports(package: list[str], text: str) -> Iterator[tuple[str, int]]:
    """Yield the modules of ours that Python *text* imports anywhere but for types, with the line.

    A module outside is yielded by its name with a leading "!".
    """
    tree = ast.parse(text)
    types_only: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            types_only.update(range(node.lineno, (node.end_lineno or 0) + 1))
    for node in ast.walk(tree):
        if getattr(node, "lineno", 0) in types_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((f"!{name.name}", node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield f"!{node.module}", node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - (node.level - 1)]
            for name in [node.module] if node.module else [name.name for name in node.names]:
                imported = ".".join([*base, name])
                is_module = base or place(imported) is not None
                yield imported if is_module else "", node.lineno  # "": of sane/__init__


def cython_imports(package: list[str], text: str) -> Iterator[tuple[str, int]]:
    """Yield the modules of ours that Cython *text* imports and cimports, with the line."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"\s*from (\.+)([\w.]*) c?import (.*)", line)
        if match:
            dots, module, names = match.groups()
            base = package[: len(package) - (len(dots) - 1)]
            for name in [module] if module else re.findall(r"(\w+)(?: as \w+)?", names):
                yield ".".join([*base, name]), number


def place(module: str) -> tuple[int, int] | None:
    """Return the row of *module* and its place there; None without a room."""
    room = module.split(".", maxsplit=1)[0]
    for number, rooms in enumerate(ROWS):
        if room in rooms:
            return number, rooms.index(room)
    return None


def room_of(module: str) -> str:
    """Return the room that a module may use freely; each backend is one."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "backends" else parts[0]


def may_import(module: str, imported: str) -> bool:
    """Tell whether the rows allow it."""
    here, there = place(module), place(imported)
    room, other = room_of(module), room_of(imported)
    if room == other or imported in NO_ROOM or (module, imported) in IMPORTS_UPWARDS:
        return True
    if here is None or there is None:
        return False
    if room in ONLY:
        return other in ONLY[room]
    if here[0] == there[0] == DRIVERS:
        return room.startswith("backends.") and other.startswith("backends._")
    if here[0] == there[0] == WAYS_IN:
        return imported.endswith(".main")
    return there < here


def wrong_imports(module: str, package: list[str], text: str, is_python: bool = True) -> list[str]:
    """Return what *text*, the source of *module*, imports against the rows."""
    wrong = []
    without = WITHOUT_IO.get(room_of(module), set())
    for imported, line in (imports if is_python else cython_imports)(package, text):
        is_ours = not imported.startswith("!")
        if not may_import(module, imported) if is_ours else imported[1:] in without:
            wrong.append(f"line {line}: {imported}")
    return wrong


@pytest.mark.parametrize("name", of(SOURCES))
def test_imports_between_our_modules_are_relative(name: str) -> None:
    wrong = []
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        names = [item.name for item in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        wrong += [item for item in names if item.split(".")[0] in ("sane", "backends", "tests")]
    assert wrong == []


@pytest.mark.parametrize("name", of(CYTHON))
def test_imports_of_cython_modules_are_relative(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.findall(r"^\s*(?:from|c?import)\s+(?:sane|backends)\b.*", text, re.M)


def test_cython_that_is_not_python_lies_where_c_is_spoken() -> None:
    outside = {
        str(path.relative_to(ROOT))
        for path in CYTHON
        if path.suffix == ".pyx" and path.parent.name not in PYX_FOLDERS
    }
    assert outside - set(OTHER_PYX) == set()


def test_every_module_has_a_row() -> None:
    modules = {module_name(path) for path in SOURCES + CYTHON}
    assert {module for module in modules if place(module) is None} == set(NO_ROOM)


@pytest.mark.parametrize("name", of(SOURCES + CYTHON))
def test_a_module_imports_lower_rows_and_its_own_room(name: str) -> None:
    path = ROOT / name
    module = module_name(path)
    package = package_of(module, path.name == "__init__.py")
    assert wrong_imports(module, package, path.read_text(), path.suffix == ".py") == []


@pytest.mark.parametrize(
    ("module", "planted", "imported"),
    [
        ("const", "from .option import Range", "option"),
        ("cancel", "from .threads import start_thread", "threads"),
        ("usb.handle", "from ..image import rows", "image"),
        ("image.rows", "from ..param import line_bytes", "param"),
        ("wire.codec", "import os", "!os"),
        ("wire.codec", "from time import monotonic", "!time"),
        ("transport.streams", "from ..discovery import dnssd", "discovery"),
        ("discovery.dnssd", "from ..net.hosts import Host", "net.hosts"),
        ("backends.test.device", "from .. import pnm", "backends.pnm"),
        ("backends.test.device", "def f():\n    from ...dll import registry", "dll"),
        ("backends._epson.network", "from ..epson2 import models", "backends.epson2"),
        ("backends.test.device", "from ...net import client", "net"),
        ("net.client", "from ..backends import test", "backends"),
        ("net.client", "from ..sessions.users import Users", "sessions.users"),
        ("dll.registry", "from ..scanner import Scanner", "scanner"),
        ("sessions.users", "from ..saned import log", "saned"),
        ("saned.daemon", "from ..cli import find", "cli"),
        ("scanner", "from . import aio", "aio"),
    ],
)
def test_an_import_against_the_rows_is_found(module: str, planted: str, imported: str) -> None:
    allowed = "from __future__ import annotations\n"
    line = planted.count("\n") + 2
    package = package_of(module, False)
    assert wrong_imports(module, package, allowed + planted) == [f"line {line}: {imported}"]
    types = f"if TYPE_CHECKING:\n    {planted}\n" if "def" not in planted else ""
    assert wrong_imports(module, package, allowed + types) == []


@pytest.mark.parametrize(
    ("module", "planted"),
    [
        ("option", "from . import const"),
        ("handle", "from .threads import Ring"),
        ("usb.handle", "from . import link"),
        ("discovery.search", "from ..transport.streams import ByteStream"),
        ("backends.epson2.wires", "from .._epson import network"),
        ("backends.test.device", "from .handle import TestHandle"),
        ("dll.registry", "from ..backend import Backend"),
        ("dll.finder", "from .. import backends"),
        ("sessions.frames", "from ..dll import registry"),
        ("cli.find", "from .. import get_devices"),
        ("wire.records", "import struct"),
    ],
)
def test_an_import_that_the_rows_allow_is_none(module: str, planted: str) -> None:
    assert wrong_imports(module, package_of(module, False), planted) == []


def circles(imported_by: dict[str, set[str]]) -> list[list[str]]:
    """Return the modules that import one another, late or not, in groups."""

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        ways = [start]
        while ways:
            new = imported_by.get(ways.pop(), set()) - found
            found |= new
            ways += new
        return found

    reach = {module: reached(module) for module in imported_by}
    in_circles = [module for module in reach if module in reach[module]]
    groups = {
        tuple(
            sorted(
                other for other in in_circles if other in reach[module] and module in reach[other]
            )
        )
        for module in in_circles
    }
    return [list(group) for group in sorted(groups)]


def test_circles_of_imports_are_found() -> None:
    imports_of = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"a"}}
    assert circles(imports_of) == [["b", "c"]]
    assert circles({**imports_of, "d": {"a"}}) == [["a", "b", "c", "d"]]


def test_no_modules_import_one_another_but_for_types() -> None:
    modules = {module_name(path): path for path in SOURCES + CYTHON if path.suffix != ".pxd"}
    imported_by: dict[str, set[str]] = {}
    for module, path in modules.items():
        package = package_of(module, path.name == "__init__.py")
        kind = imports if path.suffix == ".py" else cython_imports
        found = {name for name, _ in kind(package, path.read_text())} - set(NO_ROOM)
        names = {name for name in found if not name.startswith("!")}
        names = {name if name in modules else name.rpartition(".")[0] for name in names}
        wanted = {name for name in names if (module, name) not in IMPORTS_UPWARDS}
        imported_by[module] = wanted & set(modules) - {module}
    assert circles(imported_by) == []


def test_the_exceptions_from_the_rows_are_needed() -> None:
    found = {
        (module_name(path), imported)
        for path in SOURCES
        for imported, _ in imports(
            package_of(module_name(path), path.name == "__init__.py"), path.read_text()
        )
    }
    assert set(IMPORTS_UPWARDS) - found == set()


@pytest.mark.parametrize("name", of(SOURCES))
def test_the_load_path_imports_nothing_heavy(name: str) -> None:
    path = ROOT / name
    if module_name(path).startswith(OFF_THE_PATH):
        return
    wrong = []
    for node in ast.parse(path.read_text()).body:  # not inside functions or TYPE_CHECKING
        if isinstance(node, ast.Import):
            wrong += [item.name for item in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            wrong.append(node.module or "")
    assert {module for module in wrong if module in FORBIDDEN} == set()


@pytest.mark.parametrize("name", of(SOURCES))
def test_modules_postpone_annotations(name: str) -> None:
    """Types are imported for mypy only; evaluated annotations would need them."""
    tree = ast.parse((ROOT / name).read_text())
    statements = [node for node in tree.body if not isinstance(node, ast.Expr)]
    annotated = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in statements)
    if annotated:
        first = statements[0]
        assert isinstance(first, ast.ImportFrom)
        assert first.module == "__future__"


# Sizes


def test_no_file_is_too_long() -> None:
    too_long = {
        str(path.relative_to(ROOT))
        for path in files("sane", "backends")
        if len(path.read_text().splitlines()) > FILE_LINES
    }
    assert too_long - set(LONG_FILES) == set()


@pytest.mark.parametrize("name", of(SOURCES))
def test_no_function_is_too_long(name: str) -> None:
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or 0) - node.lineno + 1
            assert size <= FUNCTION_LINES or f"{name}:{node.name}" in LONG_FUNCTIONS, node.name


@pytest.mark.parametrize("name", of([path for path in CYTHON if path.suffix == ".pyx"]))
def test_no_function_in_cython_is_too_long(name: str) -> None:
    """A function begins at its def and ends before the next line that is not indented."""
    start, title = 0, ""
    lines = [*(ROOT / name).read_text().splitlines(), "end"]
    for number, line in enumerate(lines, 1):
        if line[:1].strip() and line[0] not in ")#":
            size = number - start
            assert not title or size <= FUNCTION_LINES + 3, f"{name}: {title} has {size} lines"
            title = line if re.match(r"(cp?def|def)\b.*\(", line) else ""
            start = number


@pytest.mark.parametrize("name", of(SOURCES + [p for p in CYTHON if p.suffix == ".pyx"]))
def test_the_first_line_says_what_a_file_is_about(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    text = [line for line in lines if not line.startswith(("#", "\n"))]
    assert text[0].startswith('"""')
    assert len(text[0]) > 10


# What is not written


def texts() -> Iterator[tuple[str, str]]:
    for path in EVERYTHING:
        try:
            yield str(path.relative_to(ROOT)), path.read_text()
        except UnicodeDecodeError:
            continue  # pictures and captures


def test_no_path_of_a_machine_is_written_anywhere() -> None:
    """Homes and work folders; the places of a distribution are facts, not machines."""
    machine = re.compile(r"(?<![\w.])/(?:home|root|Users|work|mnt|media)/[a-z0-9_.]+")
    own = str(Path(__file__).relative_to(ROOT))
    found = [
        f"{name}: {match.group()}"
        for name, text in texts()
        if name != own
        for match in machine.finditer(text)
    ]
    assert found == []


def test_library_code_never_prints() -> None:
    """stdout carries the image (scanimage); messages go through Debug."""
    found = []
    for path in SOURCES:
        if module_name(path).startswith(OFF_THE_PATH):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


@pytest.mark.parametrize("name", of(SOURCES))
def test_no_exception_is_swallowed(name: str) -> None:
    """A bare ``except: pass`` hides a mistake; what is expected is named."""
    wide = {"Exception", "BaseException"}
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        if isinstance(node, ast.ExceptHandler):
            silent = all(isinstance(item, ast.Pass) for item in node.body)
            caught = node.type is None or getattr(node.type, "id", "") in wide
            assert not (silent and caught), f"line {node.lineno}"


def test_sane_backends_is_a_link_to_backends() -> None:
    assert (ROOT / "sane" / "backends").resolve() == (ROOT / "backends").resolve()
