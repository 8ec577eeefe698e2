"""What the fuzzer tries on the C ABI: a frontend against a server whose replies are changed.

The frontend (frontend.c) is built with AddressSanitizer and runs on the staged libsane.so.1, a
process for each input. The bytes of an input say, reply after reply, where the server's bytes
change and into what; data of frames too. Whatever comes, the frontend ends with 0, in time.
"""

from __future__ import annotations

import os
import subprocess
from typing import Any

from sane.wire import messages as m
from sane.wire.protocol import frame_end, record_head
from tests import ROOT, cc
from tests.conftest import PREFIX
from tests.fakes.saned import COUNT, DEPTH, MODE, FakeSaned
from tests.fuzz.folder import temporary_folder

SECONDS = 20.0
SOURCE = ROOT / "tests" / "fuzz" / "frontend.c"
FOLDER = temporary_folder()
FLAG = m.Descriptor("flag", "Flag", "A flag.", 0, 0, 4, 5, 0, None)
VECTOR = m.Descriptor("gamma", "Gamma", "Four words.", 1, 0, 16, 5, 0, None)
FRAME = record_head(8) + b"abcdefgh" + frame_end(5)
KEEP, PATCH, CUT, GROW, WORD = range(5)


class Mutating(FakeSaned):
    """A server whose bytes become what *plan* says."""

    plan: list[int]

    def _byte(self) -> int:
        return self.plan.pop() if self.plan else 0

    def _send(self, sock: Any, data: bytes) -> bool:
        return super()._send(sock, self._changed(data))

    def start(self, server: Any, port: int | None = None) -> bytes:
        self.frame = [self._changed(FRAME)]
        return super().start(server, port)

    def _changed(self, data: bytes) -> bytes:
        action = self._byte() % 8
        if action == PATCH and data:
            at = self._byte() % len(data)
            data = data[:at] + bytes((self._byte(),)) + data[at + 1 :]
        elif action == CUT:
            data = data[: self._byte()]
        elif action == GROW:
            data += bytes(self._byte())
        elif action == WORD and len(data) >= 4:
            at = self._byte() % (len(data) // 4) * 4
            word = int.from_bytes(bytes((self._byte(), self._byte())), "big", signed=True)
            data = data[:at] + word.to_bytes(4, "big", signed=True) + data[at + 4 :]
        return data


class Bench:
    """The frontend, and the server that it talks to; made at the first input."""

    def __init__(self) -> None:
        self.program = FOLDER / "frontend"
        cc.compile_program(
            *(SOURCE, self.program, "-g", "-O1", "-fsanitize=address", f"-I{cc.INCLUDE}"),
            *(f"-L{PREFIX / 'lib'}", "-l:libsane.so.1"),
        )
        self.server = Mutating(descriptors=[COUNT, DEPTH, MODE, FLAG, VECTOR])
        self.server.plan = []
        self.server.values |= {3: bytes(4), 4: bytes(16)}
        self.server.__enter__()
        (FOLDER / "dll.conf").write_text("net\n")
        limits = "connect_timeout = 1\nreply_timeout = 1\n"
        (FOLDER / "net.conf").write_text(f"{limits}127.0.0.1 port = {self.server.port}\n")
        dropped = ("SANE_", "LD_", "PYSANE_", "PYTHON")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
        self.environment = {
            **kept,
            "SANE_CONFIG_DIR": str(FOLDER),
            "LD_LIBRARY_PATH": str(PREFIX / "lib"),
            "ASAN_OPTIONS": "detect_leaks=0",
        }

    def run(self, plan: bytes) -> None:
        self.server.plan = list(reversed(plan))
        done = subprocess.run(
            [self.program, "net:127.0.0.1:test:0"],
            env=self.environment,
            timeout=SECONDS,
            check=False,
            capture_output=True,
        )
        assert done.returncode == 0, (done.returncode, done.stderr.decode(errors="replace")[-3000:])


_benches: list[Bench] = []


def check(data: bytes) -> None:
    """Run the frontend against a server that *data* changes."""
    if not _benches:
        _benches.append(Bench())
    _benches[0].run(data)


def seeds() -> dict[str, bytes]:
    """Return a session without a change, and changes of sizes, types and texts in descriptors."""
    sizes = {
        "plain": b"",
        "descriptor-size": bytes((0, 0, 0, WORD, 7, 0x10, 0)),
        "constraint": bytes((0, 0, 0, WORD, 15, 0, 3)),
        "value": bytes((0, 0, 0, 0, WORD, 3, 1, 0)),
        "cut": bytes((0, 0, 0, CUT, 90)),
        "grown": bytes((0, 0, 0, 0, 0, GROW, 200)),
    }
    return sizes
