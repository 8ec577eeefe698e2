"""A program of the new API: scan a page, stream a page, or cancel a task; print what it takes.

Arguments: dpi, what ("page", "stream", "cancel"), rounds.
"""

import asyncio
import resource
import sys
import time

import numpy  # noqa: F401 - not to be counted

import sane
import sane.aio

dpi, what, rounds = float(sys.argv[1]), sys.argv[2], int(sys.argv[3])
MIB = 1 << 20
CONF = {"dll.conf": "test"}


def peak() -> int:
    """Return the most memory that the program has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def scan(scanner: sane.Scanner) -> int:
    """Scan a page as an array; return its bytes."""
    return int(scanner.scan().array.nbytes)


def stream(scanner: sane.Scanner) -> int:
    """Read a page row by row; return its bytes."""
    with scanner.stream() as rows:
        return sum(int(block.rows.nbytes) for block in rows)


async def cancel() -> float:
    """Return the seconds from the cancel of a task to the end of its job in the driver."""
    async with sane.aio.Scanner("test:0") as scanner:
        await scanner.configure(resolution=1200, read_delay=True, read_delay_duration=200_000)
        task = asyncio.ensure_future(scanner.scan())
        while scanner.state != "scanning":
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        begin = time.monotonic()
        task.cancel()
        await asyncio.wait({task})
        spent = time.monotonic() - begin
        state: str = scanner.state
        assert state == "idle"
        return spent


if what == "cancel":
    sane.configure(backends=["test"])
    print("ms", max(asyncio.run(cancel()) for _ in range(rounds)) * 1e3)
    sys.exit()
with sane.Session(config=CONF) as session, session.scanner("test:0") as found:
    wanted = {"mode": "color", "test_picture": "Color pattern", "area": "max"}
    found.configure(resolution=dpi, **wanted)  # type: ignore[arg-type]
    scan_it = scan if what == "page" else stream
    before, times = peak(), []
    for _ in range(rounds):
        started, size = time.process_time(), scan_it(found)
        times.append(time.process_time() - started)
    print("cpu", size / sorted(times)[len(times) // 2])
    print("peak", (peak() - before) / size)
    print("mib", (peak() - before) / MIB)
