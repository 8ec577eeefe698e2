"""Throughput of sane_read, by picture, depth, buffer and thread; and of a plain Python driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .measure import Pair, alternate, alternate_all, at_least, both, quotient, times
from .report import Section

if TYPE_CHECKING:
    from .setting import Bench, Library, Sample

PAGE = ("mode=Color", "resolution=1200", "br-x=200", "br-y=200")
BUFFERS = {"4 KiB": 4096, "32 KiB": 32768, "1 MiB": 1048576}
MAIN_BUFFER = "32 KiB"
HEADS = ("picture", "bits", "buffer", "thread", "ours", "original")
TAIL = ("gain CPU", "gain wall", "goal", "")
THREAD_SHARE = 0.8  # what the second thread must reach of the first's throughput

Rates = tuple[float | None, float | None]


def cpu_rate(sample: Sample) -> float:
    """Return GB per CPU second, of all threads and children."""
    return sample["bytes"] / sample["cpu"] / 1e9


def wall_rate(sample: Sample) -> float:
    """Return GB per second."""
    return sample["bytes"] / sample["wall"] / 1e9


def rate_cells(pair: Pair) -> tuple[str, str]:
    """Return "GB per CPU second / GB per second" of both."""
    cpu = pair.cells(cpu_rate, lambda rate: f"{rate:.2f}")
    wall = pair.cells(wall_rate, lambda rate: f"{rate:.2f}")
    ours, original = (a if a == b else f"{a} / {b}" for a, b in zip(cpu, wall, strict=True))
    return ours, original


def gains(pair: Pair) -> Rates:
    """Return how many times more bytes ours gives per CPU second and per second."""
    return quotient(*pair.values(cpu_rate)), quotient(*pair.values(wall_rate))


def goal_of(picture: str, bits: str, buffer: str) -> tuple[float, float] | None:
    """Return the gains that the first thread must reach, by CPU and by wall."""
    if picture == "Solid white" and bits == "8" and buffer == MAIN_BUFFER:
        return 4.0, 3.0
    if picture == "Grid" or (picture == "Color pattern" and bits == "16"):
        return 2.0, 2.0
    return None


def measure_reads(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure every picture, depth, buffer size and thread."""
    section = Section(
        "sane_read",
        "Frames of 200 x 200 mm in colour at 1200 dpi (268 MB, 16 bit 536 MB) for at least 0.1 s, "
        "from before sane_start to after sane_cancel. GB per CPU second / GB per second. "
        f"{rounds} rounds. Thread 2 is held against thread 1 by CPU and by wall time.",
        (*HEADS, *TAIL),
    )
    buffers = [MAIN_BUFFER] if quick else list(BUFFERS)
    for picture in ("Solid white", "Color pattern", "Grid"):
        for bits in ("8", "16"):
            for buffer in buffers:
                add_reads(bench, section, rounds, (picture, bits, buffer))
    return section


def add_reads(bench: Bench, section: Section, rounds: int, key: tuple[str, str, str]) -> None:
    """Add the rows of the first and the second thread."""
    picture, bits, buffer = key
    options = (*PAGE, f"depth={bits}", f"test-picture={picture}")

    def run(library: Library, thread: str) -> Sample:
        return bench.client(library, "read", "test:0", str(BUFFERS[buffer]), thread, *options)

    first, second = alternate_all(
        bench, rounds, [lambda library: run(library, "1"), lambda library: run(library, "2")]
    )
    wanted = goal_of(*key)
    goal, met = "", ""
    if wanted:
        goal, met = judge_gains(first, *wanted)
    section.add(*key, "1", *rate_cells(first), *map(times, gains(first)), goal, met, pair=first)
    shares = [
        quotient(second.values(rate)[0], first.values(rate)[0]) for rate in (cpu_rate, wall_rate)
    ]
    goal = f"ours >= {THREAD_SHARE:.0%} of thread 1"
    met = second.judge(both(*(at_least(share, THREAD_SHARE) for share in shares)))
    section.add(*key, "2", *rate_cells(second), *map(times, gains(second)), goal, met, pair=second)


def judge_gains(pair: Pair, cpu: float, wall: float) -> tuple[str, str]:
    """Return the goal of so many times more bytes as text, and whether it is met."""
    gain = gains(pair)
    met = pair.judge(both(at_least(gain[0], cpu), at_least(gain[1], wall)))
    return f">= {cpu:.0f}x CPU, {wall:.0f}x wall", met


def measure_plain(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure a dropped-in driver without compiled code against the original's test device."""
    section = Section(
        "A read_into in plain Python",
        "bench/drivers/plain.py as a dropped-in backend, against the original's Solid white of "
        f"the same size. GB per CPU second / GB per second. {rounds} rounds.",
        ("buffer", "ours", "original", *TAIL),
    )
    for buffer, size in BUFFERS.items():
        if quick and buffer != MAIN_BUFFER:
            continue

        def run(library: Library, size: int = size) -> Sample:
            if library is bench.ours:
                return bench.client(library, "read", "plain:0", str(size), "1")
            options = (*PAGE, "test-picture=Solid white")
            return bench.client(library, "read", "test:0", str(size), "1", *options)

        pair = alternate(bench, rounds, run)
        goal, met = judge_gains(pair, 2.0, 2.0) if buffer == MAIN_BUFFER else ("", "")
        section.add(buffer, *rate_cells(pair), *map(times, gains(pair)), goal, met, pair=pair)
    return section
