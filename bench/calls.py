"""In-process rows that move no images: options, open, cancel, and a thousand lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .measure import Pair, alternate, at_least, at_most, both, quotient, times
from .report import Section

if TYPE_CHECKING:
    from .setting import Bench, Library, Sample

HEADS = ("", "ours", "original", "gain", "goal", "verdict")
SECONDS_A_CALL = "0.02"
CALLS = {
    "descriptor": "sane_get_option_descriptor",
    "get_int": "GET int",
    "get_fixed": "GET fixed",
    "get_string": "GET string",
    "set_int_same": "SET int, unchanged",
    "set_int_changed": "SET int",
    "set_range_changed": "SET int with a range",
    "set_fixed_same": "SET fixed, unchanged",
    "set_fixed_changed": "SET fixed",
    "set_resolution_changed": "SET resolution (reloads parameters)",
    "set_string_same": "SET string, unchanged",
    "set_string_changed": "SET string",
    "set_list_same": "SET string from a list, unchanged",
    "set_list_changed": "SET string from a list",
}
STATUSES = {2: "CANCELLED", 4: "INVAL", 5: "EOF", 9: "IO_ERROR"}
SLOW = ("mode=Color", "read-delay=yes", "read-delay-duration=200000")
CYCLES = 1000


def wall(sample: Sample) -> float:
    """Return the seconds that a sample took."""
    return sample["wall"]


def milliseconds(seconds: float) -> str:
    """Return *seconds* as text in ms."""
    return f"{seconds * 1e3:.2f} ms"


def measure_options(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure calls per second of the option functions."""
    section = Section(
        "Options",
        f"Million calls per second of sane_control_option on the test device. {rounds} rounds.",
        HEADS,
    )
    pair = alternate(
        bench, rounds, lambda library: bench.client(library, "control", "test:0", SECONDS_A_CALL)
    )
    for key, label in CALLS.items():

        def rate(sample: Sample, key: str = key) -> float:
            return sample[key] / 1e6

        gain = quotient(*pair.values(rate))
        cells = pair.cells(rate, lambda value: f"{value:.3g}")
        met = pair.judge(at_least(gain, 0.5))
        section.add(label, *cells, times(gain), ">= 0.5x", met, pair=pair)
    return section


def measure_open(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure the second open of a process: from sane_open to the first byte."""
    section = Section(
        "Open",
        "sane_open, sane_start and the first sane_read in a process that had the device open "
        f"before. {rounds} rounds.",
        HEADS,
    )
    color = ("mode=Color", "br-x=200", "br-y=200", "test-picture=Color pattern")
    scans: dict[str, tuple[str, ...]] = {
        "the default page": (),
        "Color pattern, 300 dpi": (*color, "resolution=300"),
        "Color pattern, 1200 dpi, 16 bit": (*color, "resolution=1200", "depth=16"),
    }
    for label, options in scans.items():

        def run(library: Library, options: tuple[str, ...] = options) -> Sample:
            return bench.client(library, "open", "test:0", *options)

        pair = alternate(bench, rounds, run)
        met = pair.judge(at_most(pair.values(wall)[0], 0.005))
        section.add(label, *wall_cells(pair), "< 5 ms", met, pair=pair)
    return section


def wall_cells(pair: Pair) -> tuple[str, str, str]:
    """Return the times of both and the gain."""
    ours, original = pair.values(wall)
    return *pair.cells(wall, milliseconds), times(quotient(original, ours))


def measure_cancel(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure sane_cancel while a read waits for a slow device."""
    section = Section(
        "Cancel",
        "sane_cancel until a blocked sane_read returns, and what it returns; the device delivers "
        f"a block each 200 ms. {rounds} rounds.",
        HEADS,
    )
    labels = {"handler": "in a signal handler of its thread", "thread": "from another thread"}
    for by, label in labels.items():

        def run(library: Library, by: str = by) -> Sample:
            return bench.client(library, "cancel", "test:0", by, *SLOW)

        pair = alternate(bench, rounds, run)
        ours, original, gain = wall_cells(pair)
        section.add(
            label,
            f"{ours}, {status_names(pair, 0)}",
            f"{original}, {status_names(pair, 1)}",
            gain,
            "< 100 ms",
            pair.judge(at_most(pair.values(wall)[0], 0.1)),
            pair=pair,
        )
    return section


def status_names(pair: Pair, index: int) -> str:
    """Return the statuses that the rounds of one library ended with."""
    measured = (pair.ours, pair.original)[index]
    codes = {int(sample["status"]) for sample in measured.samples} if measured else set()
    return " or ".join(STATUSES.get(code, str(code)) for code in sorted(codes)) or "-"


def measure_cycles(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure what a long-lived frontend keeps."""
    section = Section(
        "A thousand lives",
        f"{CYCLES} times sane_init, open, a scan of the default page, close, sane_exit, after 10 "
        f"to warm up: time of one, growth of VmRSS and of open descriptors. {rounds} rounds.",
        HEADS,
    )
    pair = alternate(
        bench, rounds, lambda library: bench.client(library, "cycles", "test:0", str(CYCLES))
    )

    def one(sample: Sample) -> float:
        return sample["wall"] / CYCLES

    def growth(sample: Sample) -> float:
        return sample["growth_kb"] / 1024

    def descriptors(sample: Sample) -> float:
        return sample["descriptors"]

    ours, original = pair.values(one)
    cells = pair.cells(one, milliseconds)
    section.add("one life", *cells, times(quotient(original, ours)), "", "", pair=pair)
    grown = pair.values(growth)[0]
    cells = pair.cells(growth, lambda value: f"{value:.2f} MiB")
    section.add("VmRSS", *cells, "-", "< 1 MB", pair.judge(at_most(grown, 1e6 / 2**20)))
    kept = pair.values(descriptors)[0]
    cells = pair.cells(descriptors, lambda value: f"{value:.0f}")
    met = pair.judge(both(at_most(kept, 0), at_least(kept, 0)))
    section.add("descriptors", *cells, "-", "0", met)
    return section
