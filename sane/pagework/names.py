"""Names of output files: placeholders filled in, numbers added, never outside of their folder.

It knows texts and the clock that it is given, and asks the file system only what is a folder.
Source: specification python-api-and-cli 12.3.
"""

from __future__ import annotations

import os

from .problem import OUTPUT, USAGE, PageWorkError, output_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

FORMATS = ("pdf", "tiff", "png", "jpeg", "webp", "pnm")
IN_ONE_FILE = ("pdf", "tiff")  # formats that hold several pages
ENDINGS = {
    **{f".{format}": format for format in FORMATS},
    **{".tif": "tiff", ".jpg": "jpeg", ".pbm": "pnm", ".pgm": "pnm", ".ppm": "pnm"},
}
USUAL_ENDING = {"tiff": ".tif", "jpeg": ".jpg"}
DEFAULT_NAME = "scan-{date}-{time}"
PLACEHOLDERS = ("date", "time", "n", "device", "profile")
NUMBER = "-{n:03}"  # what is added to names that need a number
VALUE_CHARS = 64  # of a placeholder's value: a file name may have 255 bytes
STDOUT = "-"


def format_for(path: str, format: str | None = None) -> str:
    """Return the format of *path*: *format* if it is given, else by the ending, else pdf.

    Raises PageWorkError for an ending or a format that is none of FORMATS.
    """
    if format is not None:
        if format not in FORMATS:
            known = ", ".join(FORMATS)
            raise PageWorkError(f"no format {format!r}; there are {known}", exit_code=USAGE)
        return format
    ending = os.path.splitext(path)[1].lower()
    if ending in ENDINGS:
        return ENDINGS[ending]
    if path == STDOUT or not ending or "}" in ending:
        return "pdf"
    known = " ".join(ENDINGS)
    message = f"{path}: {ending} is none of {known}"
    raise PageWorkError(message, hint="say --format", exit_code=USAGE)


def template_for(path: str | None, format: str) -> str:
    """Return the template of the names: for no path a name of ours, for a folder one in it."""
    name = DEFAULT_NAME + USUAL_ENDING.get(format, f".{format}")
    if not path:
        return name
    if path != STDOUT and (path.endswith("/") or os.path.isdir(path)):
        return os.path.join(path, name)
    return path


def has_number(template: str) -> bool:
    """Tell whether the template has {n} in it; raises PageWorkError for an unknown placeholder."""
    return any(name == "n" for name, _ in _parts(template) if name is not None)


def with_number(template: str) -> str:
    """Return the template with a number before the ending, if it has none: page-{n:03}.png."""
    if template == STDOUT or has_number(template):
        return template
    folder, name = os.path.split(template)
    stem, ending = os.path.splitext(name)
    return os.path.join(folder, f"{stem}{NUMBER}{ending}")


def expand(
    template: str, *, when: datetime, number: int = 1, device: str = "", profile: str = ""
) -> str:
    """Return the template filled in: {date} {time} {n} {n:04} {device} {profile}; {{ is a brace.

    What is filled in has no slash and no leading dot, so that it cannot lead out of the folder.
    Raises PageWorkError for an unknown placeholder.
    """
    values = {
        "date": when.strftime("%Y-%m-%d"),
        "time": when.strftime("%H-%M-%S"),
        "device": device,
        "profile": profile,
    }
    out = []
    for name, text in _parts(template):
        if name is None:
            out.append(text)
        elif name == "n":
            out.append(f"{number:{text}}")
        else:
            out.append(_harmless(values[name]))
    return "".join(out)


def partial(path: str) -> str:
    """Return the name for what there is of an interrupted scan: NAME.partial.pdf."""
    stem, ending = os.path.splitext(path)
    return f"{stem}.partial{ending}"


def check_target(path: str, *, force: bool = False) -> None:
    """Raise PageWorkError (exit code 73) if *path* cannot be written, or exists without *force*.

    It is asked before the scan; whether it is still so is seen when the file is written.
    """
    if path == STDOUT:
        return
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass  # told below, in other words
    except OSError as exc:  # no name that the system takes, as one that is too long
        raise output_error(path, exc) from exc
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path):
        raise PageWorkError(f"{path} is a folder", exit_code=OUTPUT)
    if os.path.lexists(path) and not os.path.isfile(path) and not os.path.islink(path):
        return  # a device or a pipe
    if os.path.isfile(path) and not force:
        raise exists(path)
    if not os.path.isdir(folder):
        raise PageWorkError(f"cannot write {path}: there is no folder {folder}", exit_code=OUTPUT)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PageWorkError(f"cannot write {path}: {folder} is not writable", exit_code=OUTPUT)


def exists(path: str) -> PageWorkError:
    """Return the error for a file that is there already."""
    hint = "give another name, or --force to replace it"
    return PageWorkError(f"{path} exists already", hint=hint, exit_code=OUTPUT)


def _parts(template: str) -> list[tuple[str | None, str]]:
    """Return the template's pieces: (None, text), or a placeholder and its form."""
    import re

    parts: list[tuple[str | None, str]] = []
    for match in re.finditer(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+", template):
        text, inner = match.group(), match.group(1)
        if inner is None:
            if text in "{}":
                raise _unknown(template, text)
            parts.append((None, text[0] if text in ("{{", "}}") else text))
            continue
        name, _, form = inner.partition(":")
        is_form = re.fullmatch(r"0?[1-9]?", form) if name == "n" else not form
        if name not in PLACEHOLDERS or not is_form or inner.endswith(":"):
            raise _unknown(template, text)
        parts.append((name, form))
    return parts


def _unknown(template: str, text: str) -> PageWorkError:
    known = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    hint = f"there are {known} and {{n:04}}; {{{{ is a brace"
    return PageWorkError(f"{template}: {text} is no placeholder", hint=hint, exit_code=USAGE)


def _harmless(value: str) -> str:
    """Return *value* as a part of a file's name."""
    shown = (char if char.isprintable() and char not in "/\\" else "_" for char in value)
    return "".join(shown)[:VALUE_CHARS].lstrip(".") or "_"
