"""A folder as a destination: the file appears there when it is whole, under a name of its own."""

from __future__ import annotations

import os
import shutil
from errno import EROFS
from hashlib import sha256

from ...wholefile import sync_folder
from ..store.files import remove
from .sending import Later, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .sending import Sending

MODE = "0644"
MOST_NAMES = 10_000  # files of one name


def send(sending: Sending) -> str:
    """Put the file into the folder; return its path."""
    folder = sending.settings["path"]
    if not os.path.isdir(folder):
        raise Later(f"there is no folder {folder}")
    begun = sending.memory.get("path")
    if begun is not None and _is_same(begun, sending.file):
        return str(begun)
    part = os.path.join(folder, f".{sending.delivery}.part")
    try:
        with open(part, "wb") as target, open(sending.file, "rb") as source:
            shutil.copyfileobj(source, target, 1 << 20)
            os.fchmod(target.fileno(), int(sending.settings.get("mode", MODE), 8))
            target.flush()
            os.fsync(target.fileno())
        path = _appear(part, folder, sending)
        sync_folder(folder)
    except OSError as exc:
        hint = f" (a service needs ReadWritePaths={folder})" if exc.errno == EROFS else ""
        raise Later(f"{folder}: {exc.strerror}{hint}") from exc
    finally:
        remove(part)
    return path


def _appear(part: str, folder: str, sending: Sending) -> str:
    """Give the file the first name that is free; it never takes another one's place."""
    stem, ending = os.path.splitext(sending.name)
    for number in range(1, MOST_NAMES):
        name = sending.name if number == 1 else f"{stem} ({number}){ending}"
        path = os.path.join(folder, name)
        if os.path.lexists(path):
            continue
        sending.remember(path=path)
        try:
            os.link(part, path)
        except FileExistsError:
            continue
        except OSError:  # a file system without links
            os.rename(part, path)
        return path
    raise Refused(f"{folder} has {MOST_NAMES} files of the name {sending.name}")


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.getsize(path) == os.path.getsize(other) and _digest(path) == _digest(other)
    except OSError:
        return False


def _digest(path: str) -> bytes:
    digest = sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.digest()
