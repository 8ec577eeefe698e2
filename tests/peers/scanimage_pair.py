"""Our scanimage beside the distribution's: the same command line, and what both leave.

What both may write in their own way is brought into one form: PNG and PDF files, version and
progress lines, and the prompt, whose words depend on the release.
"""

from __future__ import annotations

import io
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

from tests.conftest import PREFIX
from tests.peers.frontends import CLOCK, Environ, Outcome, Scanimage, environment

OWN = PREFIX / "bin" / "pysane-scanimage"
SECONDS = 60.0  # of one run of ours, which never hangs; the machine may be busy
PROGRESS = re.compile(r"(?:Progress: [^\r]*\r)+")
PROMPT = "Press Ctrl + D (EOF) to terminate."  # from 1.3.1 on
OLD_PROMPT = "Press Ctrl + D to terminate."
JPEG = re.compile(rb"\xff\xd8\xff.*?\xff\xd9(?=\n?endstream)", re.DOTALL)
BOX = re.compile(rb"/MediaBox [^\n]*")  # the original's has no end when the count is reached
D50 = struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)  # the illuminant that every profile has
PNG = b"\x89PNG\r\n\x1a\n"


class Pair(Scanimage):
    """Both programs with one configuration, each in a folder of its own; see Scanimage."""

    def ours(self, *arguments: str, stdin: bytes = b"", environ: Environ = None) -> Outcome:
        """Run our scanimage, on our registry."""
        place = self.folder / "own"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        done = subprocess.run(
            [OWN, *arguments],
            input=stdin,
            capture_output=True,
            cwd=place,
            env=environment(self.config, None) | (environ or {}),
            timeout=SECONDS,
            check=False,
        )
        files = {path.name: path.read_bytes() for path in sorted(place.iterdir())}
        messages = CLOCK.sub("", done.stderr.decode("latin-1"))
        return Outcome(done.returncode, done.stdout, messages, files)

    def same(self, *arguments: str, stdin: bytes = b"", environ: Environ = None) -> Outcome:
        """Run both, which must not differ in anything that counts; return ours as it was."""
        ours = self.ours(*arguments, stdin=stdin, environ=environ)
        self.agree(comparable(ours), lambda: self._original(arguments, stdin, environ))
        return ours

    def _original(self, arguments: tuple[str, ...], stdin: bytes, environ: Environ) -> Outcome:
        done = self.run(None, *arguments, stdin=stdin, environ=environ)
        return comparable(done)


def comparable(outcome: Outcome) -> Outcome:
    """Return *outcome* in the form in which both programs leave the same."""
    files = {name: picture(data) for name, data in outcome.files.items()}
    return Outcome(outcome.status, picture(outcome.stdout), said(outcome.stderr), files)


def said(text: str) -> str:
    """Return messages with the program's name for its path, and the last of progress lines.

    How many there are depends on how much is read at once.
    """
    for path in (str(OWN), "/usr/bin/scanimage", OWN.name):
        text = text.replace(path, "scanimage")
    text = PROGRESS.sub(lambda match: match.group().split("\r")[-2] + "\r", text)
    return text.replace(PROMPT, OLD_PROMPT)


def picture(data: bytes) -> bytes:
    """Return what a PNG or PDF file shows; other data as they are."""
    if data.startswith(PNG):
        return png_picture(data)
    if data.startswith(b"%PDF"):
        return b"\n".join([*BOX.findall(data), *JPEG.findall(data)])
    for program in (OWN.name, "scanimage"):
        data = data.replace(program.encode(), b"scanimage")
    return data


def png_picture(data: bytes) -> bytes:
    """Return size, pixels and all chunks but those with the compressed rows."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        shown = [image.mode.encode(), repr(image.size).encode(), image.tobytes()]
    at = len(PNG)
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        if kind == b"iCCP":
            name, _, compressed = body.partition(b"\0")
            body = name + zlib.decompress(compressed[1:])
        if kind != b"IDAT":
            shown.append(kind + body)
        at += 12 + size
    return b"\n".join(shown)


def write_profile(path: Path, space: bytes = b"RGB ", *, missing: int = 0, more: int = 0) -> Path:
    """Write an ICC profile without tags, cut or too long if told so, and return its path."""
    size = 128 + 4
    head = struct.pack(">I4sI4s4s4s", size, b"test", 0x02100000, b"scnr", space, b"XYZ ")
    head = head.ljust(36, b"\0") + b"acsp"
    head = head.ljust(68, b"\0") + D50
    path.write_bytes(head + bytes(size - len(head) - missing + more))
    return path
