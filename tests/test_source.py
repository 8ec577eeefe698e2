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

# The rows of the import rule: a module imports lower rows, and its own package in its row.
ROWS = [
    ("const", "errors", "param", "config", "debug", "net", "cancel", "constraint"),
    (
        *("option", "usb", "image", "values", "ring"),
        *("net.codec", "net.records", "net.messages", "net.protocol", "net.access", "net.users"),
    ),
    (
        *("backend", "handle", "usb_backend"),
        *("net.transport", "net.dataport", "net.watch", "net.epson", "net.search"),
        *("net.hosts", "net.stream", "net.connection", "net.dnssd"),
    ),
    ("backends", "net.client", "net.servers", "net.device", "net.options"),
    ("dll",),
    ("net.server", "net.descriptors", "net.frames", "net.pump"),
    ("", "cli", "saned", "abi", "scanner", "testing"),
]
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
    "sane/dll/native.pyx": "calls the functions of C backends",
    "sane/dll/spawn.pyx": "starts a process that the host cannot see: clone without SIGCHLD",
    "sane/net/pump.pyx": "calls the C function behind a reader's capsule, without the GIL",
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


def relative_imports(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the modules of ours that *path* imports anywhere, with the line."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    package = [part for part in package if part]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - (node.level - 1)]
            if node.module:
                yield ".".join([*base, node.module]), node.lineno
            else:
                for name in node.names:
                    yield ".".join([*base, name.name]), node.lineno


def type_checking_lines(path: Path) -> set[int]:
    """Return the lines below ``if TYPE_CHECKING:``, which no program runs."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            lines.update(range(node.lineno, (node.end_lineno or 0) + 1))
    return lines


def row(module: str) -> int:
    """Return the row of *module*, -1 without one: the longest entry that it lies in counts."""
    best, found = -1, -1
    for number, entries in enumerate(ROWS):
        for entry in entries:
            inside = module == entry or (entry and module.startswith(f"{entry}."))
            if inside and len(entry) > best:
                best, found = len(entry), number
    return found


def package_of(module: str) -> str:
    """Return the package within whose row a module may import; each backend is one."""
    parts = module.split(".")
    if parts[0] == "backends":
        return ".".join(parts[:2])
    return parts[0] if (ROOT / "sane" / parts[0]).is_dir() else ""


def may_import(module: str, imported: str) -> bool:
    """Tell whether the rows allow it; the commands of cli stand on the Python API."""
    if row(imported) != row(module):
        return row(imported) < row(module)
    return package_of(imported) == package_of(module) or package_of(module) == "cli"


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


@pytest.mark.parametrize("name", of(SOURCES))
def test_every_module_has_a_row(name: str) -> None:
    assert row(module_name(ROOT / name)) >= 0


@pytest.mark.parametrize("name", of(SOURCES))
def test_a_module_imports_lower_rows_and_its_own_package(name: str) -> None:
    path = ROOT / name
    module = module_name(path)
    types_only = type_checking_lines(path)
    wrong = [
        f"line {line}: {imported}"
        for imported, line in relative_imports(path)
        if line not in types_only and not may_import(module, imported)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "imported", "allowed"),
    [
        ("option", "const", True),
        ("const", "option", False),
        ("backends.test.device", "backends.test.handle", True),
        ("backends.test.device", "backends.pnm", False),
        ("backends.test", "dll.registry", False),
        ("dll.registry", "backend", True),
        ("usb.handle", "image.rows", False),
        ("handle", "backend", True),
        ("backend", "abi", False),
        ("scanner", "dll.registry", True),
        ("abi", "cli.scan", False),
    ],
)
def test_the_rows_mean_what_they_say(module: str, imported: str, allowed: bool) -> None:
    assert may_import(module, imported) is allowed


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
