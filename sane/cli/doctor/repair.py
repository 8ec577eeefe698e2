"""--fix: writes this user's own configuration files, and prints what else repairs as one block.

It writes below the user's home only, never over a file that is there, and runs no command.
"""

from __future__ import annotations

import os

from .finding import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .finding import Finding

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def repair(findings: Sequence[Finding]) -> Iterator[str]:
    """Write the files that findings bring; yield what was done, then the block for a shell."""
    block: list[str] = []
    has_written = False
    for one in findings:
        if one.level == OK or not (one.command or one.files):
            continue
        written = []
        for path, text in one.files.items():
            problem = write(path, text)
            yield f"Written: {path}" if not problem else f"Not written: {path}: {problem}"
            written.append(not problem)
        has_written |= any(written)
        block += [f"# {one.id}: {one.text}"]
        block += [one.after] if written and all(written) else [one.command]
    if not block:
        yield "There is nothing to repair."
        return
    what = "the rest" if has_written else "what was found"
    yield f"To repair {what}, read these commands and run those that you want:"
    yield ""
    yield from block


def write(path: str, text: str) -> str:
    """Write a new file; return why that cannot be, "" if it was written."""
    try:
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        fd = os.open(path, _NEW, 0o644)
    except FileExistsError:
        return "it is there already"
    except OSError as exc:
        return exc.strerror or str(exc)
    try:
        with open(fd, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
    except OSError as exc:
        os.unlink(path)
        return exc.strerror or str(exc)
    return ""
