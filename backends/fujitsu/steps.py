"""What a scanner is told before the first sheet: command after command, in the original's order.

No I/O. Source: specification fujitsu 7.1.
"""

from __future__ import annotations

from . import commands, modepages, tables, window
from .capabilities import CARD
from .settings import COMPOSITIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .settings import Settings


class Step:
    """One command with its data; a failure of one that is not vital is passed over."""

    __slots__ = ("cdb", "is_vital", "out")

    def __init__(self, cdb: bytes, out: bytes = b"", *, is_vital: bool = False) -> None:
        self.cdb = cdb
        self.out = out
        self.is_vital = is_vital


def source(settings: Settings) -> int:
    """Return the function that chooses where the paper lies."""
    if settings.is_flatbed:
        return commands.USE_FLATBED
    return commands.USE_CARD if settings.source.startswith(CARD) else commands.USE_FEEDER


def pre_read(settings: Settings) -> bytes:
    """Return the data that tell the paper's size before all else."""
    sizes = settings.paper_width, settings.page_height
    return commands.pre_read(settings.resolution, *sizes, COMPOSITIONS[settings.scanner_mode])


def before_batch(settings: Settings) -> Iterator[Step]:
    """Yield the commands before the lamp is lit."""
    able = settings.capabilities
    if able.can_control and able.has_choice:
        yield Step(commands.scanner_control(source(settings)))
    if able.quirks.needs_preread:
        data = pre_read(settings)
        yield Step(commands.send_diagnostic(len(data)), data)
    for data in modepages.pages(settings):
        yield Step(commands.mode_select(len(data)), data)
    if able.has_endorser:
        data = tables.endorser_text(settings)
        yield Step(commands.send(commands.ENDORSER_TEXT, len(data)), data)
    data = window.windows(settings)
    yield Step(commands.set_window(len(data)), data, is_vital=True)
    if window.needs_lut(settings):
        data = tables.lut(able.lut_bits, settings.brightness, settings.contrast)
        yield Step(commands.send(commands.LUT, len(data)), data)
    if able.quirks.needs_tables:
        data = tables.quantisation()
        yield Step(commands.send(commands.Q_TABLE, len(data)), data)
    if able.has_endorser:
        data = tables.endorser_counter(settings)
        yield Step(commands.endorser(len(data)), data, is_vital=True)
