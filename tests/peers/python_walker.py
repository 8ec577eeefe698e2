"""Runs the lines of a walk (walk_python.py) on the modules sane and _sane that it finds.

It is a program of its own: python-sane's Python runs it, which knows nothing of this tree. Each
line is Python; what came of it goes to stdout in one line.
"""

from __future__ import annotations

import gc  # noqa: F401 - for the lines
import hashlib
import os
import re
import sys
import threading
import time
import warnings
from typing import Any

import _sane  # type: ignore[import-not-found]

import sane

DESCRIPTOR = 9  # members of an option's
CANNOT_READ = "(no value)"
LONGEST = 600  # characters of an outcome; of a longer one, its digest
REST = 0.05  # seconds after a start: the original's test device may hang if cancelled before
ENOUGH = 3_000_000  # bytes of an image; larger ones are left out
WIDEST = 1000  # pixels of one whose height is unknown
FREE_TITLES = {4, 5, 6, 8, 10, 11, 13, 15, 16, 17, 19, 20}  # no specification says them
STARTS = re.compile("start|scan|turn")
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
PROSE = re.compile(r"(?<=\nTitle:     ).*?(?=\nType:      )", re.DOTALL)

messages: list[str] = []  # warnings, and exceptions that nobody could catch


class Started:
    """When a line that may start a scan began."""

    at = 0.0


class Recorder:
    """A progress function that notes its calls; at row *at* it does *action*.

    What the action raises stays here: python-sane ends the program on exceptions.
    """

    def __init__(self, at: int = 0, action: Any = None) -> None:
        self.calls: list[tuple[int, int]] = []
        self.at, self.action = at, action
        self.found = ""

    def __call__(self, row: int, rows: int) -> object:
        self.calls.append((row, rows))
        if row == self.at and self.action is not None:
            self.found = outcome(self.action)
        return self.calls

    def __repr__(self) -> str:
        digest = hashlib.md5(repr(self.calls).encode()).hexdigest()
        return f"{len(self.calls)} calls {digest} {self.calls[:1]} {self.calls[-1:]} {self.found}"


class Derived(sane.SaneDev):
    """A program's own class, as those that people write."""

    snaps = 0

    def get_parameters(self) -> Any:
        return sane.SaneDev.get_parameters(self)[:3]

    def start(self) -> None:
        self.__dict__["starts"] = self.__dict__.get("starts", 0) + 1
        sane.SaneDev.start(self)

    def snap(self, no_cancel: Any = False, **words: Any) -> Any:  # type: ignore[override]
        type(self).snaps += 1
        return sane.SaneDev.snap(self, no_cancel, **words)


def configure(text: str) -> None:
    """Write another test.conf."""
    with open(os.path.join(os.environ["SANE_CONFIG_DIR"], "test.conf"), "w") as file:
        file.write(text)


def rest() -> None:
    """Wait until the device has been scanning for a while, if it needs that."""
    if not hasattr(sane, "__pysane__"):
        time.sleep(max(0, Started.at + REST - time.monotonic()))


def is_open(device: Any) -> bool:
    """Tell whether a device is open; python-sane forgets its options if they are asked for then."""
    try:
        return bool(device.dev.get_options())
    except _sane.error:
        return False


def turn(pages: Any) -> Any:
    """Return the next page; after the last one, or an error, end the job: only ours does so."""
    try:
        return next(pages)
    except BaseException:
        rest()
        pages.device.cancel()
        raise


def raise_error(error: Exception) -> None:
    """Raise what is given, as doubles of tests do."""
    raise error


def outcome(call: Any) -> str:
    """Return what comes of a call."""
    try:
        return shown(call())
    except Exception as exc:
        return failed(exc)


def in_thread(call: Any) -> str:
    """Return what comes of a call in another thread."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(outcome(call)))
    thread.start()
    thread.join()
    return found[0]


def forked(device: Any, call: Any) -> str:
    """Return what comes of a call in a child process.

    With our library the device is of no use to a child that is forked while a cancel is carried
    out: so a call waits for that.
    """
    outcome(device.dev.get_parameters)
    here, there = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(there, outcome(call).encode())
        finally:
            os._exit(0)
    os.close(there)
    with open(here, "rb") as file:
        found = file.read().decode()
    os.waitpid(child, 0)
    return found


def row_of(row: Any) -> Any:
    """Return a descriptor without what is free: its description, some titles."""
    title = "" if row[0] in FREE_TITLES else row[2]
    return (row[0], row[1], title, bool(row[3]), *row[4:])


def version(found: Any) -> Any:
    """Return what holds of each version."""
    code, *parts = found
    major, minor, build = parts
    return type(found), major, code == major << 24 | minor << 16 | build


def safe(device: Any, keeps_16: bool = False) -> bool:
    """Tell whether python-sane reads the image right, and it is not too large.

    Not of 16 bits as PIL's, not of three frames, not with padded lines.
    """
    try:
        format, _, (width, lines), depth, pitch = device.dev.get_parameters()
    except _sane.error:
        return True
    if format not in {"gray", "color"} or (depth == 16 and not keeps_16):
        return False
    channels = 3 if format == "color" else 1
    least = (width + 7) // 8 * channels if depth == 1 else width * channels * depth // 8
    return bool(pitch == least and lines * pitch < ENOUGH and (lines >= 0 or width < WIDEST))


def shown(value: Any) -> str:
    """Return what is to be compared of a value."""
    kind = type(value)
    if kind.__name__ == "ndarray":
        digest = hashlib.md5(value.tobytes()).hexdigest()
        flags = value.flags.c_contiguous, value.flags.writeable
        text = f"array {value.shape} {value.dtype} {flags} {digest}"
    elif kind.__name__ == "Image":
        digest = hashlib.md5(value.tobytes()).hexdigest()
        text = (
            f"image {value.mode} {value.size} {value.format} {value.info} {digest} {value.readonly}"
        )
    elif kind is bytearray:
        text = f"bytearray {len(value)} {hashlib.md5(value).hexdigest()}"
    elif isinstance(value, sane.Option):
        text = PROSE.sub("", option_text(value))
    elif isinstance(value, dict):
        text = shown(list(value.items()))
    elif isinstance(value, tuple | list):
        if kind is tuple and len(value) == DESCRIPTOR:
            value = row_of(value)
        parts = ", ".join(map(shown, value))
        text = f"({parts},)" if isinstance(value, tuple) else f"[{parts}]"
    else:
        text = PROSE.sub("", ADDRESS.sub("0x", repr(value)))
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}... {hashlib.md5(text.encode()).hexdigest()}"
    return text.replace("\n", "\\n")


def option_text(option: Any) -> str:
    """Return the repr of an option; python-sane raises if its value cannot be read."""
    try:
        text = repr(option)
        return CANNOT_READ if "Cur value: <not available>" in text else text
    except (_sane.error, AttributeError):
        return CANNOT_READ


def failed(exc: BaseException) -> str:
    """Return what is to be compared of an exception."""
    kind = type(exc)
    name = getattr(exc, "name", None)
    found = f"raises {kind.__module__}.{kind.__qualname__} {exc.args!r} {str(exc)!r} {name!r}"
    return ADDRESS.sub("0x", found)


def unraisable(found: Any) -> None:
    """Note an exception that nobody could catch, but that of python-sane 2.9.1's iterator."""
    if "_SaneIterator.__del__" not in repr(found.object):
        messages.append(f"unraisable {failed(found.exc_value)}")


def main() -> None:
    """Run the lines of stdin."""
    names = {**globals()}
    sys.unraisablehook = unraisable
    warnings.simplefilter("always")
    warnings.simplefilter("ignore", DeprecationWarning)  # of fork beside threads, since 3.12
    warnings.showwarning = lambda text, kind, *_: messages.append(f"{kind.__name__} {text}")
    for line in sys.stdin.read().splitlines():
        if STARTS.search(line):
            Started.at = time.monotonic()
        try:
            try:
                code = compile(line, "<walk>", "eval")
            except SyntaxError:
                code = compile(line, "<walk>", "exec")
            found = shown(eval(code, names))
        except BaseException as exc:
            found = failed(exc)
        print(found, *messages, flush=True)
        messages.clear()


if __name__ == "__main__":
    main()
