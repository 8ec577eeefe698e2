"""Plain facts about scanners and scans, as the server's parts hand them to each other.

Lengths of areas are 1/300 inch, eSCL's unit, from the top left corner of the source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

UNITS_PER_INCH = 300

SourceId = Literal["platen", "adf", "adf-duplex"]
Mode = Literal["color", "gray", "lineart"]
State = Literal["idle", "scanning", "busy", "unreachable"]
Problem = Literal["", "no-documents", "jammed", "cover-open"]
FeederState = Literal["loaded", "empty", "unknown"]


@dataclass(frozen=True)
class Adjust:
    """An option of the device that changes how the picture looks, in whole numbers.

    normal: its value where nobody asks for another. modes: those in which it does something.
    """

    option: str
    least: int
    most: int
    normal: int
    step: int
    modes: tuple[Mode, ...]


@dataclass(frozen=True)
class Source:
    """What a scanner can do from one source. value: SANE's word for it, "" without the option.

    depths: bits of a sample, for color and gray. resolutions: dpi, few and rising. switches: more
    options that choose it, as adf-mode. adjusts: brightness and its kin, by eSCL's names.
    """

    id: SourceId
    value: str
    modes: tuple[Mode, ...]
    depths: tuple[int, ...]
    resolutions: tuple[int, ...]
    min_width: int
    min_height: int
    max_width: int
    max_height: int
    switches: dict[str, object] = field(default_factory=dict)
    adjusts: dict[str, Adjust] = field(default_factory=dict)


@dataclass(frozen=True)
class Capabilities:
    """What is known of a scanner without asking it: taken when the server started.

    encoded: MIME types in which it can send finished pages. sensors and buttons: names of
    options. mode_values: SANE's word for each mode.
    """

    sources: tuple[Source, ...]
    sensors: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()
    encoded: tuple[str, ...] = ()
    mode_values: dict[str, str] = field(default_factory=dict)

    def source(self, id: str) -> Source:
        """Return the source *id*; raises KeyError."""
        for source in self.sources:
            if source.id == id:
                return source
        raise KeyError(id)

    @property
    def has_feeder(self) -> bool:
        """It takes sheets by itself."""
        return any(source.id != "platen" for source in self.sources)


@dataclass(frozen=True)
class ScanSettings:
    """What a scan is asked to be, or what was really set.

    extra: options of the device by name. encoded: take the page as the device sends it, if it
    sends JPEG.
    """

    source: SourceId = "platen"
    mode: Mode = "color"
    depth: int = 8
    dpi: int = 300
    left: int = 0
    top: int = 0
    width: int = 0
    height: int = 0
    extra: dict[str, object] = field(default_factory=dict)
    encoded: bool = False


@dataclass(frozen=True)
class PageHead:
    """A page that begins. lines: -1 if the scanner does not know. encoded: "" for pixels.

    Pixels are rows of bytes_per_line, which may have padding behind them: gray, or RGB by pixel;
    depth 1 has 1 for black, depth 16 is in this machine's byte order. An encoded page's numbers are
    those expected.
    """

    width: int
    lines: int
    depth: int
    channels: int
    bytes_per_line: int
    dpi_x: int
    dpi_y: int
    encoded: str = ""


@dataclass(frozen=True)
class Status:
    """How a scanner is. holder: who uses it, if known. feeder: None without one."""

    state: State = "idle"
    holder: str = ""
    problem: Problem = ""
    feeder: FeederState | None = None
