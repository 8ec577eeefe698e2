"""What the fuzzer tries on configuration files: any bytes are read, and only told about.

The first byte chooses the file.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sane.backend import Context
from sane.backends.epson2 import Backend as Epson2
from sane.backends.epsonds import Backend as EpsonDs
from sane.backends.fujitsu import Backend as Fujitsu
from sane.backends.test import Backend as Test
from sane.config import Environment
from sane.debug import Debug
from sane.dll.config import Aliases, backend_names
from sane.dll.pysane_conf import PysaneConf
from sane.errors import NoMemory
from sane.net.client import Backend as Net
from sane.sessions.access import Access, Peer, reason_by_address
from sane.sessions.users import Users
from tests.fuzz.folder import temporary_folder

FOLDER = temporary_folder()
ENVIRONMENT = Environment({"SANE_CONFIG_DIR": str(FOLDER)})
QUIET = Debug("fuzz", ENVIRONMENT)
QUIET.level = -1
PEERS = [Peer.at((address, 1)) for address in ("192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7")]


def dll() -> None:
    backend_names(ENVIRONMENT, QUIET)


def aliases() -> None:
    found = Aliases.load(ENVIRONMENT, QUIET)
    for name in ("test:0", "", "a", "x:y"):
        found.resolve(name)
        found.listed_name(name)


def saned() -> None:
    access = Access.read(ENVIRONMENT)
    for peer in PEERS:
        assert peer is not None
        reason_by_address(peer, access)


def users() -> None:
    found = Users.read(ENVIRONMENT)
    for backend in found.counts():
        assert found.protects(backend)


def pysane() -> None:
    PysaneConf(ENVIRONMENT, QUIET)


def backend(kind: type[Epson2 | EpsonDs | Fujitsu | Net | Test]) -> Callable[[], None]:
    def init() -> None:
        name = kind.__module__.rpartition(".")[2].replace("client", "net")
        made = kind(name, Context(ENVIRONMENT))
        made.debug.level = -1
        with suppress(NoMemory):  # a number_of_devices below -1, as in the original
            made.init()

    return init


# The file, and who reads it.
KINDS: tuple[tuple[str, Callable[[], None]], ...] = (
    ("dll.conf", dll),
    ("dll.aliases", aliases),
    ("saned.conf", saned),
    ("saned.users", users),
    ("pysane.conf", pysane),
    ("net.conf", backend(Net)),
    ("test.conf", backend(Test)),
    ("epson2.conf", backend(Epson2)),
    ("epsonds.conf", backend(EpsonDs)),
    ("fujitsu.conf", backend(Fujitsu)),
)


def check(data: bytes) -> None:
    """Read *data* as one of the files."""
    if not data:
        return
    name, read = KINDS[data[0] % len(KINDS)]
    path = FOLDER / name
    path.write_bytes(data[1:])
    try:
        read()
    finally:
        path.unlink()


def seeds() -> dict[str, bytes]:
    """Return the shipped files."""
    etc = Path(__file__).resolve().parent.parent.parent / "etc"
    found = {}
    for number, (name, _) in enumerate(KINDS):
        path = etc / name
        text = path.read_bytes() if path.exists() else b""
        lines = [line.removeprefix(b"#") for line in text.splitlines()]
        found[name] = bytes((number,)) + b"\n".join(lines)[:3000] + b"\n"
    found["saned.users"] = bytes((3,)) + b"joe:secret:test\nann:two words:epson2\n"
    found["dll.aliases"] = bytes((1,)) + b'alias "A B" test:0\nhide test:1\nalias x "y:z"\n'
    return found
