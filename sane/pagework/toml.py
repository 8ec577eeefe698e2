"""TOML files of the user: read with the lines of their keys, and changed with comments kept.

It knows TOML and no key. Source: TOML 1.0.0; specification python-api-and-cli 12.5.
"""

from __future__ import annotations

import os
import stat

from .libraries import require
from .problem import CONFIG, PageWorkError, output_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Path = tuple[str, ...]

FILE_BYTES = 1 << 20  # no configuration file comes near
HEADER = r"\s*\[([^\[\]].*?)\]\s*(?:#.*)?$"
ARRAY_HEADER = r"\s*\[\[([^\[\]].*?)\]\]\s*(?:#.*)?$"
KEY = r"\s*((?:\"[^\"]*\"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:\"[^\"]*\"|'[^']*'|[\w-]+))*)\s*="
BARE = r"[A-Za-z0-9_-]+"
MOST_PARTS = 8  # of a key's name by which its line is found
LARGEST = 1 << 63  # whole numbers are less. Source: TOML 1.0.0, Integer


class Place:
    """``file:line`` as text. The line is looked for when the text is made: few keys are wrong."""

    __slots__ = ("_file", "_path")

    def __init__(self, file: TomlFile, path: Path) -> None:
        self._file = file
        self._path = path

    def __str__(self) -> str:
        line = self._file.line(self._path)
        return f"{self._file.path}:{line}" if line else self._file.path


class TomlFile:
    """A file that was read: *path*, its *text* and its *data*."""

    def __init__(self, path: str, text: str) -> None:
        """Parse *text*; raises PageWorkError with the file and the line of a mistake."""
        self.path = path
        self.text = text
        self.data = _parsed(path, text)
        self._index: dict[Path, int] = {}
        if place := _too_large(self.data):
            text = f"{self.where(*place)}: {'.'.join(place)} is a number of more than 64 bits"
            raise PageWorkError(text, exit_code=CONFIG)

    @classmethod
    def read(cls, path: str, *, must_exist: bool = False) -> TomlFile | None:
        """Return the file at *path*, None without one; raises PageWorkError."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with open(fd, "rb") as file:
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    raise PageWorkError(f"{path} is no file", exit_code=CONFIG)
                data = file.read(FILE_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError) as exc:
            if not must_exist:
                return None
            raise PageWorkError(f"there is no file {path}", exit_code=CONFIG) from exc
        except OSError as exc:
            error = output_error(path, exc, "cannot read")
            error.exit_code = CONFIG
            raise error from exc
        if len(data) > FILE_BYTES:
            raise PageWorkError(f"{path} has more than {FILE_BYTES} bytes", exit_code=CONFIG)
        try:
            return cls(path, data.decode("utf-8-sig"))
        except UnicodeDecodeError as exc:
            line = data[: exc.start].count(b"\n") + 1
            raise PageWorkError(f"{path}:{line}: this is not UTF-8", exit_code=CONFIG) from exc

    def where(self, *path: str) -> Place:
        """Return ``file:line`` of the key or table *path*, of the table around it if need be.

        A table of an array, ``[[name]]``, has its number from 0 as text behind its name.
        """
        return Place(self, path)

    def line(self, path: Path) -> int:
        """Return the line of the key or table *path*, of the table around it, 0 for neither."""
        if not self._index:
            for found, number in self._lines():
                for end in range(min(len(found), MOST_PARTS), 0, -1):
                    self._index.setdefault(found[:end], number)
        path = path[:MOST_PARTS]
        while path and path not in self._index:
            path = path[:-1]
        return self._index.get(path, 0)

    def _lines(self) -> list[tuple[Path, int]]:
        """Return the full name of each key and table, with its line."""
        import re

        table: Path = ()
        found: list[tuple[Path, int]] = []
        counts: dict[Path, int] = {}
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := re.match(ARRAY_HEADER, line):
                name = _names(f"[{header.group(1)}]")
                table = (*name, str(counts.get(name, 0)))
                counts[name] = counts.get(name, 0) + 1
                found.append((table, number))
            elif header := re.match(HEADER, line):
                table = _names(f"[{header.group(1)}]")
                for end in range(len(table), 0, -1):  # [name.sub] below [[name]]: of its last
                    if count := counts.get(table[:end]):
                        table = (*table[:end], str(count - 1), *table[end:])
                        break
                found.append((table, number))
            elif key := re.match(KEY, line):
                found.append(((*table, *_names(f"{key.group(1)} = 0")), number))
        return found


def without_table(file: TomlFile, path: Path) -> str:
    """Return the file's text without the table *path* and its subtables; comments stay."""
    import re

    out: list[str] = []
    inside: list[str] = []
    is_inside = False
    for line in file.text.splitlines(keepends=True):
        header = re.match(HEADER, line.rstrip("\r\n"))
        if header or line.lstrip().startswith("[["):
            if is_inside:
                out += _comments_before(inside)
                inside = []
            is_inside = header is not None and _names(f"[{header.group(1)}]")[: len(path)] == path
        (inside if is_inside else out).append(line)
    return "".join(out + (_comments_before(inside) if is_inside else []))


def _comments_before(lines: list[str]) -> list[str]:
    """Return the comments and empty lines at the end: they belong to the table that follows."""
    count = 0
    while count < len(lines) and (not lines[-1 - count].strip() or _is_comment(lines[-1 - count])):
        count += 1
    return lines[len(lines) - count :]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def table_text(path: Path, values: dict[str, Any]) -> str:
    """Return a table with a header."""
    lines = [f"[{'.'.join(_name(part) for part in path)}]"]
    lines += [f"{_name(key)} = {_value(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def _name(name: str) -> str:
    import re

    return name if re.fullmatch(BARE, name) else _value(name)


def _value(value: object) -> str:
    """Return a value as TOML; a string's escapes are JSON's."""
    import json

    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_name(key)} = {_value(of)}" for key, of in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _names(text: str) -> Path:
    """Return the dotted name in a header or a key with a value; () where it is none."""
    loads, error = _library()
    try:
        data = loads(text)
    except error:
        return ()
    names = []
    while isinstance(data, dict) and data:
        name, data = next(iter(data.items()))
        names.append(name)
    return tuple(names)


def _parsed(path: str, text: str) -> dict[str, Any]:
    import re

    loads, _ = _library()
    try:
        data: dict[str, Any] = loads(text)
    except RecursionError as exc:
        raise PageWorkError(f"{path}: lists or tables are too deep", exit_code=CONFIG) from exc
    except ValueError as exc:  # the library's error, or Python's for a number without end
        line = re.search(r"line (\d+)", str(exc))
        where = f"{path}:{line.group(1)}" if line else path
        raise PageWorkError(f"{where}: {exc}", exit_code=CONFIG) from exc
    return data


def _too_large(data: dict[str, Any]) -> Path:
    """Return the name of a key with a whole number that TOML does not have, () without one."""
    left: list[tuple[Path, object]] = [((), data)]
    while left:
        path, value = left.pop()
        if isinstance(value, int) and not -LARGEST <= value < LARGEST:
            return path
        named = value.items() if isinstance(value, dict) else ()
        counted = enumerate(value) if isinstance(value, list) else ()
        for key, part in (*named, *counted):
            left.append(((*path, str(key))[:MOST_PARTS], part))
    return ()


def _library() -> tuple[Any, type[Exception]]:
    """Return the function that reads TOML, and its error: Python's, of tomli before 3.11."""
    import sys

    name = "tomllib" if sys.version_info >= (3, 11) else "tomli"
    library = require(name, "reading configuration files")
    return library.loads, library.TOMLDecodeError
