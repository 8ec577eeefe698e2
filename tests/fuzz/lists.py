"""What the fuzzer tries on lists of other processes: the kept list, and avahi-browse's output.

The first byte chooses: even, a kept list; odd, the output of avahi-browse.
"""

from __future__ import annotations

import time

from sane.config import Environment
from sane.debug import Debug
from sane.discovery.dnssd import parse
from sane.dll.cache import Cache
from tests.fuzz.folder import temporary_folder

FOLDER = temporary_folder()
QUIET = Debug("fuzz", Environment({}))
QUIET.level = -1
HEAD = b"pysane-list 1"


def kept(data: bytes) -> None:
    path = FOLDER / "list"
    path.write_bytes(data)
    found = Cache(str(FOLDER), "list", "key", QUIET).load()
    if found is None:
        return
    for devices in found.lists.values():
        for device in devices:
            assert device.name and device.vendor and device.model and device.type
            assert "\0" not in device.name


def check(data: bytes) -> None:
    """Read *data*."""
    if not data:
        return
    if data[0] % 2 == 0:
        kept(data[1:])
        return
    for service in parse(data[1:].decode("utf-8", "replace")):
        assert service.name and service.address
        assert 0 < service.port <= 0xFFFF


def seeds() -> dict[str, bytes]:
    """Return a list as it is written, and what avahi-browse says."""
    from sane.backend import DeviceInfo
    from tests.support.avahi import OUTPUT

    cache = Cache(str(FOLDER), "seed", "key", QUIET)
    cache.store({"test": [DeviceInfo("0", "No name", "M", "scanner")], "net": []}, {"test": 3})
    written = (FOLDER / "seed").read_bytes()
    stamp = f"{time.time():.3f}".encode()
    assert stamp[:5] in written
    return {"kept": b"\0" + written, "avahi": b"\1" + OUTPUT.encode()}
