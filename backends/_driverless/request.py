"""One job as it is asked for, in no protocol's words: which source, which part, as what."""

from __future__ import annotations

from .capabilities import ADF_DUPLEX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .capabilities import Bed, Kind
    from .choice import Choice
    from .window import Window


class Request:
    """What a job is to do.

    kind: of the samples that the frame has; *choice* is what the scanner is asked for. intent: as
    frontends call it, "" for none. adjusts: values by the names of the scanner's scales.
    compression: None to leave it to the scanner. most_pages: of a feeder, 0 for all.
    """

    __slots__ = (
        *("adjusts", "bed", "choice", "compression", "intent", "kind", "most_pages", "window"),
    )

    def __init__(self, bed: Bed, window: Window, kind: Kind, choice: Choice) -> None:
        self.bed = bed
        self.window = window
        self.kind = kind
        self.choice = choice
        self.intent = ""
        self.adjusts: dict[str, int] = {}
        self.compression: int | None = None
        self.most_pages = 0

    @property
    def is_feeder(self) -> bool:
        """Pages come until the feeder is empty."""
        return self.bed.is_feeder

    @property
    def is_duplex(self) -> bool:
        """Both sides of each sheet are scanned."""
        return self.bed.name == ADF_DUPLEX

    def values(self) -> tuple[object, ...]:
        """Return all that the scanner is told, for comparing."""
        spans = self.window.across, self.window.along
        choice = self.choice.kind, self.choice.format, self.choice.dpi
        region = [(span.start, span.size) for span in spans]
        rest = self.intent, sorted(self.adjusts.items()), self.compression, self.most_pages
        return self.bed.name, region, choice, rest

    def is_like(self, other: Request) -> bool:
        """Tell whether the pages of one job are those of the other."""
        return self.values() == other.values()

    def sent_px(self) -> tuple[int, int]:
        """Return the size in pixels of what the scanner is asked to send."""
        window, (across, along) = self.window, self.choice.dpi
        width = window.pixels(window.across.size, across)
        return max(1, width), max(1, window.pixels(window.along.size, along))

    def skipped_px(self) -> tuple[int, int]:
        """Return how much of that comes before the wanted part, at the left and at the top."""
        window, (across, along) = self.window, self.choice.dpi
        return (
            window.pixels(window.across.skip, across),
            window.pixels(window.along.skip, along),
        )
