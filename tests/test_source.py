"""The rules of the source tree: what may import what, sizes of files, what is not written.

Exceptions stand in tables here, each with its reason; a table entry that is no longer needed
fails too.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests import ROOT

FILE_LINES = 500
PICTURES = (".png",)  # which have no lines
FUNCTION_LINES = 60

# The rooms of the import rule, from the ground up: a module imports lower rows, what stands to its
# left in its row, and its own room. "" is the package itself.
ROWS = (
    (
        *(
            "const",
            "errors",
            "param",
            "constraint",
            "listed",
            "config",
            "sigmask",
            "sigpipe",
            "debug",
            "cancel",
            "threads",
            "deps",
            "spawn",
            "wholefile",
            "interrupts",
        ),
        *("option", "values", "policy", "handle"),
    ),
    ("record", "usb", "transport", "wire", "image", "chips", "discovery"),
    ("feeder", "backend", "usb_backend", "network_backend", "usb_network_backend"),
    ("backends", "net"),
    ("dll",),
    (
        *("sessions", "pages", "controls", "authorization", "logs", "library", "mistakes"),
        *("scanner", "api"),
        *("compat", "", "aio", "progress", "pagework"),
    ),
    ("abi", "testing", "saned", "web", "cli"),
)
DRIVERS = ROWS.index(("backends", "net"))  # none imports another
WAYS_IN = len(ROWS) - 1  # each imports another one only by its main
ONLY = {"image": ("const", "errors")}  # rooms that use less than their place allows
WITHOUT_IO = {"wire": {"socket", "_socket", "time", "os", "select"}}
NO_ROOM = ("reader", "sane_h")  # C types that several rooms need
OUTSIDE = ("compat._sane",)  # installed beside the package, where python-sane has its module
IMPORTS_UPWARDS = {
    **{
        ("backend", base): "drivers import it from backend, which gives it late"
        for base in ("usb_backend", "network_backend", "usb_network_backend")
    },
}
FORBIDDEN = {  # on the load path, at module level: start-up is felt
    *("dataclasses", "logging", "typing", "socket", "re", "enum", "threading", "signal"),
    *("inspect", "asyncio", "importlib.metadata", "numpy", "usb", "functools", "contextlib"),
    *("collections", "subprocess", "ctypes", "json", "pathlib", "tempfile", "random", "urllib"),
}
OFF_THE_PATH = ("cli.", "saned", "testing.", "compat.", "aio", "web")  # not of the library

# Exceptions, each with its reason.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
PYX_FOLDERS = ("abi", "usb", "image")
OTHER_PYX = {
    "backends/_epson/blocks.pyx": "a nogil reader beside what it reads",
    "sane/dll/native.pyx": "calls the functions of C backends",
    "sane/sigmask.pyx": "the thread's signal mask at each call of a driver: Python's is slow",
    "sane/spawn.pyx": "starts a process that the host cannot see: clone without SIGCHLD",
    "sane/sessions/pump.pyx": "calls the C function behind a reader's capsule, without the GIL",
}


FOLDERS = ("sane", "backends", "tests", "etc", "include", "docs", "bench", "packaging")


class Source:
    """One file of the package, read and parsed once for all tests."""

    def __init__(self, path: Path) -> None:
        self.name = str(path.relative_to(ROOT))
        self.suffix = path.suffix
        parts = path.relative_to(ROOT).with_suffix("").parts
        parts = parts[1:] if parts[0] == "sane" else parts
        self.module = ".".join(part for part in parts if part != "__init__")
        self.package = package_of(self.module, path.name == "__init__.py")
        self.text = path.read_text()

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @functools.cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @functools.cached_property
    def imports(self) -> list[tuple[str, int]]:
        """Return what it imports, as `imports` gives it."""
        if self.suffix == ".py":
            return list(imports(self.package, self.nodes))
        return list(cython_imports(self.package, self.text))

    def top_level_imports(self) -> set[str]:
        """Return the modules of others that it imports when it is imported itself."""
        names: set[str] = set()
        for node in self.tree.body:  # not inside functions or TYPE_CHECKING
            if isinstance(node, ast.Import):
                names.update(item.name for item in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module or "")
        return names


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


def package_of(module: str, is_package: bool) -> list[str]:
    """Return the parts of the package that a module's relative imports start from."""
    parts = [part for part in module.split(".") if part]
    return parts if is_package else parts[:-1]


PYTHON = [Source(path) for path in files("sane", "backends", suffixes=(".py",))]
CYTHON = [Source(path) for path in files("sane", "backends", suffixes=(".pyx", ".pxd"))]
PYX = [source for source in CYTHON if source.suffix == ".pyx"]
TOP = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]  # a worktree's
EVERYTHING = [*files(*FOLDERS), *TOP]


# Imports


def imports(package: list[str], nodes: list[ast.AST]) -> Iterator[tuple[str, int]]:
    """Yield the modules of ours that *nodes* import anywhere but for types, with the line.

    A module outside is yielded by its name with a leading "!".
    """
    types_only: set[int] = set()
    for node in nodes:
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            types_only.update(range(node.lineno, (node.end_lineno or 0) + 1))
    for node in nodes:
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


def wrong_imports(module: str, imported: Iterable[tuple[str, int]]) -> list[str]:
    """Return which of the modules that *module* imports are against the rows."""
    without = WITHOUT_IO.get(room_of(module), set())
    return [
        f"line {line}: {name}"
        for name, line in imported
        if (name[1:] in without if name.startswith("!") else not may_import(module, name))
    ]


def planted_imports(module: str, text: str) -> list[str]:
    """Return what is wrong with a *module* of the source *text*."""
    nodes = list(ast.walk(ast.parse(text)))
    return wrong_imports(module, imports(package_of(module, False), nodes))


def test_imports_between_our_modules_are_relative() -> None:
    ours = ("!sane", "!backends", "!tests")
    absolute = re.compile(r"^\s*(?:from|c?import)\s+(?:sane|backends)\b.*", re.M)
    wrong = [
        f"{source.name}:{line}"
        for source in PYTHON
        for imported, line in source.imports
        if imported.split(".")[0] in ours and source.module not in OUTSIDE
    ]
    wrong += [
        f"{source.name}: {found}" for source in CYTHON for found in absolute.findall(source.text)
    ]
    assert wrong == []


def test_cython_that_is_not_python_lies_where_c_is_spoken() -> None:
    outside = {source.name for source in PYX if Path(source.name).parent.name not in PYX_FOLDERS}
    assert outside == set(OTHER_PYX)


def test_every_module_has_a_row() -> None:
    modules = {source.module for source in PYTHON + CYTHON}
    assert {module for module in modules if place(module) is None} == set(NO_ROOM)


def test_the_architecture_names_every_room_above_the_ground() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rooms = {room for row in ROWS[1:] for room in row if room} - {"backends"}
    assert {room for room in rooms if f"`{room}`" not in text} == set()
    assert "`backends/*`" in text


def test_a_module_imports_lower_rows_and_its_own_room() -> None:
    wrong = [
        f"{source.name}: {found}"
        for source in PYTHON + CYTHON
        for found in wrong_imports(source.module, source.imports)
    ]
    assert wrong == []


AGAINST_THE_ROWS = [
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
]
WITHIN_THE_ROWS = [
    ("option", "from . import const"),
    ("handle", "from .threads import Ring"),
    ("usb.handle", "from . import link"),
    ("discovery.search", "from ..transport.streams import ByteStream"),
    ("backends.epson2.wires", "from .._epson import network"),
    ("backends.test.device", "from .settings import FEEDER"),
    ("dll.registry", "from ..backend import Backend"),
    ("dll.finder", "from .. import backends"),
    ("sessions.frames", "from ..dll import registry"),
    ("cli.find", "from .. import get_devices"),
    ("wire.records", "import struct"),
]


def test_an_import_against_the_rows_is_found() -> None:
    future = "from __future__ import annotations\n"
    for module, planted, imported in AGAINST_THE_ROWS:
        line = planted.count("\n") + 2
        assert planted_imports(module, future + planted) == [f"line {line}: {imported}"], module
        types = f"if TYPE_CHECKING:\n    {planted}\n" if "def" not in planted else ""
        assert planted_imports(module, future + types) == [], module


def test_an_import_that_the_rows_allow_is_none() -> None:
    for module, planted in WITHIN_THE_ROWS:
        assert planted_imports(module, planted) == [], module


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
    modules = {source.module: source for source in PYTHON + PYX}
    imported_by: dict[str, set[str]] = {}
    for module, source in modules.items():
        names = {name for name, _ in source.imports if not name.startswith("!")} - set(NO_ROOM)
        names = {name if name in modules else name.rpartition(".")[0] for name in names}
        wanted = {name for name in names if (module, name) not in IMPORTS_UPWARDS}
        imported_by[module] = wanted & set(modules) - {module}
    assert circles(imported_by) == []


def test_the_exceptions_from_the_rows_are_needed() -> None:
    found = {(source.module, imported) for source in PYTHON for imported, _ in source.imports}
    assert set(IMPORTS_UPWARDS) - found == set()


def test_the_load_path_imports_nothing_heavy() -> None:
    heavy = {
        source.name: found
        for source in PYTHON
        if not source.module.startswith(OFF_THE_PATH)
        and (found := source.top_level_imports() & FORBIDDEN)
    }
    assert heavy == {}


def test_modules_postpone_annotations() -> None:
    """Types are imported for mypy only; evaluated annotations would need them."""
    for source in PYTHON:
        statements = [node for node in source.tree.body if not isinstance(node, ast.Expr)]
        if any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in statements):
            first = statements[0]
            assert isinstance(first, ast.ImportFrom), source.name
            assert first.module == "__future__", source.name


# Sizes


def test_no_file_is_too_long() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in files("sane", "backends")
        if path.suffix not in PICTURES
    }
    too_long = {name for name, lines in lengths.items() if lines > FILE_LINES}
    assert too_long == set(LONG_FILES)


def test_no_function_is_too_long() -> None:
    too_long = {
        f"{source.name}:{node.name}"
        for source in PYTHON
        for node in source.nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    }
    assert too_long == set(LONG_FUNCTIONS)


def test_no_function_in_cython_is_too_long() -> None:
    """A function begins at its def and ends before the next line that is not indented."""
    too_long = []
    for source in PYX:
        start, title = 0, ""
        for number, line in enumerate([*source.text.splitlines(), "end"], 1):
            if line[:1].strip() and line[0] not in ")#":
                if title and number - start > FUNCTION_LINES + 3:
                    too_long.append(f"{source.name}: {title}")
                title = line if re.match(r"(cp?def|def)\b.*\(", line) else ""
                start = number
    assert too_long == []


def test_the_first_line_says_what_a_file_is_about() -> None:
    for source in PYTHON + PYX:
        lines = source.text.splitlines()
        first = next((line for line in lines if not line.startswith(("#", "\n"))), "")
        assert first.startswith('"""'), source.name
        assert len(first) > 10, source.name


# What is not written


def texts() -> Iterator[tuple[str, str]]:
    for path in EVERYTHING:
        try:
            yield str(path.relative_to(ROOT)), path.read_text()
        except UnicodeDecodeError:
            continue  # pictures and captures


FOREIGN_PRIVATE = {  # of Python's own modules, and python-sane's names
    *("_sane", "_SaneIterator"),
    *("_thread._local", "sys._getframe", "os._exit", "found[-1]._replace"),
    *("self.socket._accept", "self._socket._accept"),  # accept() may give a standard stream
    "sys._current_frames",  # a documented function: which method of a driver does not return
}


def is_own(node: ast.Attribute) -> bool:
    """Tell whether *node* stores an attribute of self."""
    return isinstance(node.ctx, ast.Store) and getattr(node.value, "id", "") in ("self", "cls")


def private_names(nodes: list[ast.AST]) -> Iterator[str]:
    """Yield what *nodes*, of one file, use with a leading underscore that is another file's."""
    own: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            own.add(node.value)  # in __slots__
        elif isinstance(node, ast.Attribute) and is_own(node):
            own.add(node.attr)
    for node in nodes:
        if isinstance(node, ast.Attribute) and re.match(r"_[^_]", node.attr):
            text = ast.unparse(node)
            if node.attr not in own and text not in FOREIGN_PRIVATE:
                yield text
        elif isinstance(node, ast.ImportFrom) and node.level:
            names = {name.name for name in node.names} - FOREIGN_PRIVATE
            yield from (name for name in names if re.match(r"_[^_]", name))


def test_a_leading_underscore_means_this_file_only() -> None:
    wrong = [f"{source.name}: {name}" for source in PYTHON for name in private_names(source.nodes)]
    assert wrong == []


def test_the_use_of_anothers_private_name_is_found() -> None:
    text = "class A(B):\n    def f(self, other):\n        self._own = other._theirs + self._of_b\n"
    nodes = list(ast.walk(ast.parse(text + "from .c import _hidden\n")))
    assert sorted(private_names(nodes)) == ["_hidden", "other._theirs", "self._of_b"]


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
    found = [
        f"{source.name}:{node.lineno}"
        for source in PYTHON
        if not source.module.startswith(OFF_THE_PATH)
        for node in source.nodes
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]
    assert found == []


def test_no_exception_is_swallowed() -> None:
    """A bare ``except: pass`` hides a mistake; what is expected is named."""
    wide = {"Exception", "BaseException"}
    found = [
        f"{source.name}:{node.lineno}"
        for source in PYTHON
        for node in source.nodes
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or getattr(node.type, "id", "") in wide)
        and all(isinstance(item, ast.Pass) for item in node.body)
    ]
    assert found == []


def test_no_test_module_imports_another_one() -> None:
    """What two of them need lies in tests/support."""
    line = re.compile(r"^ *from tests[\w.]*\.test_\w+ import .*", re.M)
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in files("tests", "bench", suffixes=(".py",))
        for match in line.finditer(path.read_text())
    ]
    assert found == []


def test_sane_backends_is_a_link_to_backends() -> None:
    assert (ROOT / "sane" / "backends").resolve() == (ROOT / "backends").resolve()
