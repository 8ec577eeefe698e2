"""What a frontend wants of a page, and what a scanner is to be asked for it: pixels, lines, layout.

It knows sizes and the limits that all families share; commands and wires are others'.
Source: specification pixma 3.1.
"""

from __future__ import annotations

from ...image.layout import Layout
from .models import BASE_DPI, IMAGECLASS, MP150

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .models import Model

FLATBED, FEEDER, DUPLEX, FILM = (
    "Flatbed",
    "Automatic Document Feeder",
    "ADF Duplex",
    "Transparency Unit",
)
COLOR, GRAY, LINEART, INFRARED = "Color", "Gray", "Lineart", "Infrared"
COLOR_48, GRAY_16 = "48 bits color", "16 bits gray"
ONCE, ALWAYS, NEVER = "Once", "Always", "Never"

LUMA = (2126, 7152, 722)  # of red, green and blue in gray: ITU-R BT.709
LEAST_PIXELS = 16  # of a line, and lines
FLATBED_HEIGHT = 877  # of units with a feeder, whose area is as long as its longest sheet
MM_PER_INCH = 25.4


class Request:
    """The options of a page: source, mode, resolution, area in pixels, and what is done with it.

    left, top, width, height: in pixels of *dpi*, perhaps beyond the glass. gamma: the table for the
    scanner. threshold, curve: for line art. calibrate: when the scanner is to calibrate itself.
    paper_wait: seconds that a page waits for paper.
    """

    def __init__(
        self,
        model: Model,
        source: str,
        mode: str,
        dpi: int,
        corners: tuple[float, float, float, float],
    ) -> None:
        self.model = model
        self.source = source if source in sources_of(model) else FLATBED
        self.mode = mode
        self.dpi = dpi
        self.gamma: tuple[int, ...] = ()
        self.threshold = 50  # percent
        self.curve = 0
        self.calibrate = ONCE
        self.paper_wait = 0
        left, top, right, bottom = (int(mm / MM_PER_INCH * dpi + 0.5) for mm in corners)
        self.left, self.top = min(left, right), min(top, bottom)
        self.width = max(1, abs(right - left))
        self.height = max(1, abs(bottom - top))

    @property
    def is_fed(self) -> bool:
        """Sheets come from a feeder."""
        return self.source in (FEEDER, DUPLEX)

    @property
    def is_film(self) -> bool:
        """It lies in the unit for film."""
        return self.source == FILM

    @property
    def is_color(self) -> bool:
        """The frame has three channels."""
        return self.mode in (COLOR, COLOR_48)

    @property
    def is_lineart(self) -> bool:
        """The frame has one bit for a pixel."""
        return self.mode == LINEART

    @property
    def has_words(self) -> bool:
        """A mode of 16 bits was chosen."""
        return self.mode in (COLOR_48, GRAY_16)


class Plan:
    """What a page is asked as, and how its frame is made of what comes.

    width, lines, dpi, depth, channels: of the frame. left, top, wire_width, wire_lines, wire_dpi:
    what the scanner is told. wire_bits: of a pixel; wire_color: it sends RGB.

    layout: of its stream. scale: so many samples across and down become one. weights: of red,
    green and blue where they become gray, else none. is_thresholded: gray becomes line art here.
    is_jpeg: the stream is one picture.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.left, self.top = request.left, request.top
        self.width, self.lines = request.width, request.height
        self.dpi = self.wire_dpi = request.dpi
        self.channels = 3 if request.is_color else 1
        self.depth = 1 if request.is_lineart else 16 if request.has_words else 8
        self.wire_width, self.wire_lines = self.width, self.lines
        self.wire_bits, self.wire_color = 8 * self.channels, request.is_color
        self.scale = 1
        self.weights: tuple[int, int, int] | None = None
        self.is_thresholded = False
        self.is_jpeg = False
        self.layout = Layout(1)

    def fit(self) -> None:
        """Keep the area on the glass, with a few pixels at least."""
        request, model = self.request, self.request.model
        across = model.width * self.dpi // BASE_DPI
        down = model.height * self.dpi // BASE_DPI
        self.left = min(self.left, across - LEAST_PIXELS)
        self.width = max(LEAST_PIXELS, min(self.width, across - self.left))
        self.top = min(self.top, down - LEAST_PIXELS)
        self.lines = max(LEAST_PIXELS, min(self.lines, down - self.top))
        has_short_glass = model.family in (MP150, IMAGECLASS) and model.has_feeder
        if has_short_glass and request.source == FLATBED:
            self.lines = min(self.lines, FLATBED_HEIGHT * self.dpi // BASE_DPI)

    def scale_to(self, dpi: int) -> None:
        """Scan at another resolution: the frame grows or shrinks with it."""
        old, self.dpi = self.dpi, dpi
        self.left, self.top = self.left * dpi // old, self.top * dpi // old
        self.width, self.lines = self.width * dpi // old, self.lines * dpi // old

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of the frame."""
        return (self.width * self.channels * self.depth + 7) // 8


def sources_of(model: Model) -> tuple[str, ...]:
    """Return the values of the option source."""
    found = [FLATBED]
    found += [FEEDER] if model.has_feeder else []
    found += [DUPLEX] if model.has("D") else []
    found += [FILM] if model.has("T") else []
    return tuple(found)


def modes_of(model: Model, source: str) -> tuple[str, ...]:
    """Return the values of the option mode."""
    found = [COLOR, GRAY]
    if source == FILM:
        found += [INFRARED] if model.has("I") else []
    else:
        found += [COLOR_48, GRAY_16] if model.has("48") else []
        found += [LINEART] if model.has("L") else []
    return tuple(found)


def resolutions_of(model: Model, source: str, mode: str) -> tuple[int, ...]:
    """Return the values of the option resolution: 75 times powers of 2."""
    least, most = BASE_DPI, model.dpi
    if source in (FEEDER, DUPLEX):
        least, most = model.limit("sheets", least), model.limit("feeder", most)
    elif source == FILM:
        least, most = model.limit("sheets", least), model.limit("film", most)
        if mode == INFRARED:
            least, most = 600, model.limit("infrared", most)
    elif mode in (COLOR_48, GRAY_16):
        least = model.limit("words", least)
    found = []
    dpi = BASE_DPI
    while dpi <= most:
        found += [dpi] if dpi >= least else []
        dpi *= 2
    return tuple(found)


def up(value: int, multiple: int) -> int:
    """Return *value* rounded up to a multiple."""
    return -(-value // multiple) * multiple


def whole_bytes(width: int, model: Model, multiple: int) -> int:
    """Return a width of line art: whole bytes, up to the widest that the scanner has."""
    return min(up(width, 8), model.width * model.dpi // BASE_DPI // multiple * multiple)
