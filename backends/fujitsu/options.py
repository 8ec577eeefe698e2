"""The hundred options of a scanner, in the original's order; what one lacks is inactive.

It knows capabilities and values; it does not talk to the scanner. Names, titles, order,
constraints and defaults are those of the original backend of this name. Source: specification
fujitsu 5; where values are kept within their limits and papers grow with the area, 16.
"""

from __future__ import annotations

from ...backend import CAP_ADVANCED, CAP_SOFT_DETECT, UNIT_DPI, UNIT_MM, UNIT_PERCENT, Device, Range
from ...option import Bool, Fixed, Group, Int, String
from .capabilities import COLOR, FLATBED, GRAY, HALFTONE, LINEART, Capabilities
from .commands import OFF_STEP
from .kinds import (
    ANY_LENGTH,
    BOTH,
    MORE,
    OPTIONS,
    PARAMS,
    QUANTUM,
    SWITCH,
    double_feed,
    dtc,
    edge,
    matrix,
    offset,
    paper,
    printed,
    protection,
    sensor,
    variance,
)
from .settings import DEFAULT, JPEG, NONE, OFF, ON, millimetres, units

PAPER_WIDTH, PAPER_HEIGHT = 10200, 13200  # u: letter, which is preset
PERCENT_STEP = 6554 / 65536
MOST_STRING = 80  # characters that an endorser prints


class FujitsuOptions(Device):
    """The options; those that a scanner lacks are put out of use by options_for()."""

    may_raise_sigpipe = False
    capabilities: Capabilities

    standard_group = Group("Standard")
    standard_group.name = "standard"
    source = String(
        "Scan source", "Where the paper lies, and which sides.", (FLATBED,), reloads=BOTH
    )
    mode = String("Scan mode", "Scan in colour, gray or black and white.", (COLOR,), reloads=BOTH)
    resolution = Int(
        "Scan resolution", "Resolution of the scan.", Range(1, 4800), unit=UNIT_DPI, reloads=BOTH
    )

    geometry_group = Group("Geometry")
    geometry_group.name = "geometry"
    page_width = paper("Page width", "Width of the sheets, which lie in the middle.")
    page_height = paper("Page height", "Length of the sheets.")
    tl_x = edge("Top-left x", "Scan area: top left x position.")
    tl_y = edge("Top-left y", "Scan area: top left y position.")
    br_x = edge("Bottom-right x", "Scan area: bottom right x position.")
    br_y = edge("Bottom-right y", "Scan area: bottom right y position.")

    enhancement_group = Group("Enhancement")
    enhancement_group.name = "enhancement"
    brightness = Int("Brightness", "Brightness of the image.", Range(-127, 127), default=0)
    contrast = Int("Contrast", "Contrast of the image.", Range(-127, 127), default=0)
    gamma = Fixed("Gamma function exponent", "Not available.", Range(0.3, 5, 0.01), default=1)
    threshold = Int(
        "Threshold",
        "Gray below which a pixel of line art is black; 0 lets the scanner choose.",
        Range(0, 255),
        active=lambda d: d.mode == LINEART,
        depends=("mode",),
    )
    rif = Bool("RIF", "Reverse the image: black becomes white.")
    ht_type = String(
        "Halftone type",
        "How gray becomes dots.",
        (DEFAULT, "Dither", "Diffusion"),
        active=lambda d: d.capabilities.scanner_mode(d.mode) == HALFTONE,
        depends=("mode",),
    )
    ht_pattern = Int(
        "Halftone pattern",
        "Which of the built-in patterns makes the dots.",
        Range(0, 15),
        active=lambda d: d.capabilities.scanner_mode(d.mode) == HALFTONE,
        depends=("mode",),
    )
    outline = Bool("Outline", "Draw the outlines of black areas only.")
    emphasis = Int(
        "Emphasis", "Sharpen (above 0) or soften (below 0) edges.", Range(-128, 127), default=0
    )
    separation = Bool("Separation", "Tell text from pictures, and treat each accordingly.")
    mirroring = Bool("Mirroring", "Reflect the image left to right.")
    wl_follow = String(
        "White level follower", "Adjust white to the paper's colour.", (DEFAULT, ON, OFF)
    )
    bp_filter = dtc("BP filter", "Better quality of text written with a ball point pen.")
    smoothing = dtc("Smoothing", "Smooth edges for character recognition.")
    gamma_curve = dtc("Gamma curve", "Gamma curve, from light to dark.", 3)
    threshold_curve = dtc("Threshold curve", "From light to dark, and from dull to sharp.", 7)
    threshold_white = dtc("Threshold white", "What equals the threshold is white.")
    noise_removal = dtc("Noise removal", "Remove noise, in squares of the sizes below.")
    matrix_5x5, matrix_4x4 = matrix("5x5"), matrix("4x4")
    matrix_3x3, matrix_2x2 = matrix("3x3"), matrix("2x2")
    variance = variance("Variance", "How sensitive the second kind of dynamic threshold is.")

    advanced_group = Group("Advanced")
    advanced_group.name = "advanced"
    awd = Bool("Auto width detection", "Not available.")
    ald = Bool(
        "Auto length detection",
        "The image ends where the sheet does.",
        cap=MORE,
        reloads=BOTH,
    )
    compression = String(
        "Compression",
        "How the scanner sends the image; JPEG is decoded here.",
        (NONE,),
        reloads=PARAMS,
        active=lambda d: d.mode in (GRAY, COLOR) and d.mode in d.capabilities.modes,
        depends=("mode",),
    )
    compression_arg = Int(
        "Compression argument",
        "Quality of JPEG: 1 is the smallest, 7 the best, 0 as the scanner likes.",
        Range(0, 7),
        active=lambda d: d.compression == JPEG and d.mode in (GRAY, COLOR),
        depends=("mode", "compression"),
    )
    df_action = String(
        "DF action",
        "What is done when two sheets come together.",
        (DEFAULT, "Continue", "Stop"),
        cap=MORE,
        reloads=OPTIONS,
    )
    df_skew = double_feed("DF skew", "Notice double feeds by their skew.")
    df_thickness = double_feed("DF thickness", "Notice double feeds by their thickness.")
    df_length = double_feed("DF length", "Notice double feeds by their length.")
    df_diff = String(
        "DF length difference",
        "How much longer than the others a double feed is.",
        (DEFAULT, "10mm", "15mm", "20mm"),
        cap=MORE,
        active=lambda d: d.df_action != DEFAULT and d.df_length,
        depends=("df_action", "df_length"),
    )
    df_recovery = protection("DF recovery mode", "Move double feeds back, if possible.")
    paper_protect = protection("Paper protection", "Stop before a sheet is torn.")
    adv_paper_protect = protection("Advanced paper protection", "Notice even earlier.")
    staple_detect = protection("Staple detection", "Stop at stapled sheets.")
    bgcolor = String(
        "Background color",
        "Colour of the background behind the sheets.",
        (DEFAULT, "White", "Black"),
        cap=MORE,
    )
    dropoutcolor = String(
        "Dropout color",
        "Colour that becomes white, in gray and black and white.",
        (DEFAULT, "Red", "Green", "Blue"),
        cap=MORE,
        active=lambda d: d.mode != COLOR,
        depends=("mode",),
    )
    buffermode = String(
        "Buffer mode",
        "Let the scanner keep images of further sheets.",
        SWITCH,
        default=OFF,
        cap=MORE,
    )
    prepick = String("Prepick", "Draw in the next sheet in advance.", SWITCH, cap=MORE)
    overscan = String(
        "Overscan", "Scan beyond the edges of the sheet.", SWITCH, cap=MORE, reloads=OPTIONS
    )
    sleeptimer = Int("Sleep timer", "Minutes until the scanner sleeps.", Range(0, 60), cap=MORE)
    offtimer = Int(
        *("Off timer", "Minutes until the scanner switches off; 0 for never."),
        Range(0, 960),
        default=240,
        cap=MORE,
    )
    duplexoffset = offset("Duplex offset", "Correct where the back begins.")
    greenoffset = offset("Green offset", "Correct where green lies.")
    blueoffset = offset("Blue offset", "Correct where blue lies.")
    lowmemory = Bool(
        "Low Memory",
        "Has no effect: the sides of a sheet are never mixed, and two are all that is kept.",
        cap=MORE,
    )
    side = Bool(
        "Duplex side",
        "Which side the next read delivers: 0 front, 1 back.",
        cap=CAP_SOFT_DETECT | CAP_ADVANCED,
    )
    hwdeskewcrop = Bool(
        "Hardware deskew and crop",
        "Let the scanner straighten sheets and cut the image to them.",
        cap=MORE,
        reloads=PARAMS,
    )
    swdeskew = Bool("Software deskew", "Straighten sheets here.", cap=MORE, reloads=PARAMS)
    swdespeck = Int(
        *("Software despeckle diameter", "Remove specks up to this size."),
        Range(0, 9),
        reloads=PARAMS,
    )
    swcrop = Bool("Software crop", "Cut the image to the sheet here.", cap=MORE, reloads=PARAMS)
    swskip = Fixed(
        "Software blank skip percentage",
        "Leave out sides with less than so much darkness in every part.",
        Range(0, 100, PERCENT_STEP),
        unit=UNIT_PERCENT,
        reloads=PARAMS,
    )
    halt_on_cancel = Bool("Halt on Cancel", "Stop the paper where it is, on a cancel.", cap=MORE)

    endorser_options = Group("Endorser Options")
    endorser_options.name = "endorser-options"
    endorser = Bool("Endorser", "Print on each sheet.", cap=MORE, reloads=OPTIONS)
    endorser_bits = printed(Int, "Endorser bits", "Bits of the counter.", Range(16, 24, 8))
    endorser_val = printed(Int, "Endorser value", "Where the counter begins.", Range(0, 0xFFFF))
    endorser_step = printed(
        Int, "Endorser step", "What is added for each sheet.", Range(-2, 2), default=1
    )
    endorser_y = printed(
        Fixed, "Endorser Y", "Where the text begins on the sheet.", ANY_LENGTH, unit=UNIT_MM
    )
    endorser_font = printed(
        String,
        "Endorser font",
        "Shape of the letters.",
        ("Horizontal", "Horizontal bold", "Horizontal narrow", "Vertical", "Vertical bold"),
    )
    endorser_dir = printed(
        *(String, "Endorser direction", "Along the sheet."), ("Top to bottom", "Bottom to top")
    )
    endorser_side = printed(String, "Endorser side", "Which side is printed.", ("Front", "Back"))
    endorser_string = printed(
        *(String, "Endorser string", "The text; %05ud or %08ud stands for the counter."),
        size=MOST_STRING + 1,
        default="%05ud",
    )

    sensors_group = Group("Sensors")
    sensors_group.name = "sensors"
    top_edge = sensor("Top edge", "Paper is pulled in a little.")
    a3_paper = sensor("A3 paper", "A3 lies in the feeder.")
    b4_paper = sensor("B4 paper", "B4 lies in the feeder.")
    a4_paper = sensor("A4 paper", "A4 lies in the feeder.")
    b5_paper = sensor("B5 paper", "B5 lies in the feeder.")
    page_loaded = sensor("Page loaded", "Paper lies in the feeder.")
    omr_df = sensor("OMR or DF", "A mark was read, or two sheets came together.")
    cover_open = sensor("Cover open", "The cover is open.")
    card_loaded = sensor("Card loaded", "Paper lies in the exit, or a card in its slot.")
    power_save = sensor("Power saving", "The scanner sleeps.")
    email = sensor("Email button", "It was pressed.")
    manual_feed = sensor("Manual feed", "Sheets are fed by hand.")
    scan = sensor("Scan button", "It was pressed.")
    function = sensor("Function", "Number on the front panel.", Int)
    ink_low = sensor("Ink low", "The endorser's ink runs out.")
    double_feed = sensor("Double feed", "Two sheets came together.")
    error_code = sensor("Error code", "What the scanner says went wrong.", Int)
    skew_angle = sensor("Skew angle", "How far the sheet came askew.", Int)
    ink_remain = sensor("Ink remaining", "How much ink the endorser has.", Int)
    duplex = sensor("Duplex switch", "Both sides are to be scanned.")
    density = sensor("Density", "Position of the density control.", Int)

    def prepare(self, capabilities: Capabilities) -> None:
        """Preset everything as the scanner allows it."""
        self.capabilities = capabilities
        low, high = capabilities.resolution_steps
        basic = capabilities.basic
        if high:
            basic = min(high, max(low, basic))
        self.resolution = basic
        width, height = capabilities.width, capabilities.length(basic)
        if self.source == FLATBED:
            width, height = capabilities.flatbed
        sizes = min(PAPER_WIDTH, capabilities.width), min(PAPER_HEIGHT, capabilities.length(basic))
        self.page_width, self.page_height = map(millimetres, sizes)
        self.br_x = millimetres(min(width, sizes[0]))
        self.br_y = millimetres(min(height, sizes[1]))
        if not capabilities.front_endorser and capabilities.has_endorser:
            self.endorser_side = "Back"

    # Constraints

    @resolution.constrained()
    def _resolutions(self) -> Range | tuple[int, ...]:
        low, high = self.capabilities.resolution_steps
        return Range(low, high, 1) if high else self.capabilities.resolutions

    def _bed(self) -> tuple[int, int]:
        return self.capabilities.bed(self.source, self.resolution)

    @tl_x.constrained("source")
    def _x_limits(self) -> Range:
        return Range(0, millimetres(self._bed()[0]), QUANTUM)

    @tl_y.constrained("source", "resolution")
    def _y_limits(self) -> Range:
        return Range(0, millimetres(self._bed()[1]), QUANTUM)

    br_x.constrained("source")(_x_limits)
    br_y.constrained("source", "resolution")(_y_limits)

    @page_width.constrained()
    def _widths(self) -> Range:
        return Range(0, millimetres(self.capabilities.width), QUANTUM)

    @page_height.constrained("resolution")
    def _heights(self) -> Range:
        return Range(0, millimetres(self.capabilities.length(self.resolution)), QUANTUM)

    endorser_y.constrained("source", "resolution")(_y_limits)

    def _counts(self) -> Range:
        return Range(0, (1 << self.endorser_bits) - 1)

    endorser_val.constrained("endorser_bits")(_counts)

    @threshold.constrained()
    def _thresholds(self) -> Range:
        return Range(0, self.capabilities.threshold_steps)

    @ht_pattern.constrained()
    def _patterns(self) -> Range:
        return Range(0, max(0, self.capabilities.dithers - 1))

    # Sheet and area

    def _note_page(self, value: float) -> float:
        """Keep the sheet's size as it was before a change."""
        self._page = units(self.page_width), units(self.page_height)
        return value

    def _page_changed(self) -> None:
        """Let the area follow the sheet if it reached its edges, and keep it on the sheet."""
        pages = units(self.page_width), units(self.page_height)
        more = self._overscans()
        for axis, (first, last) in enumerate((("tl_x", "br_x"), ("tl_y", "br_y"))):
            old, new, at = self._page[axis], pages[axis], units(getattr(self, last))
            most = self._bed()[axis]
            if units(getattr(self, first)) == 0 and at == old:
                at = new
            setattr(self, last, millimetres(min(at, new + 2 * more[axis], most)))
            setattr(self, first, min(getattr(self, first), millimetres(most)))

    def _overscans(self) -> tuple[int, int]:
        """Return how much more than the sheet may be scanned at each of its edges."""
        able = self.capabilities
        return (able.overscan_x, able.overscan_y) if self.overscan == ON else (0, 0)

    def _area_changed(self) -> None:
        """Let the sheet grow with the area: it must hold it."""
        if self.source == FLATBED:
            return
        more = self._overscans()
        mosts = self.capabilities.width, self.capabilities.length(self.resolution)
        for axis, (last, name) in enumerate((("br_x", "page_width"), ("br_y", "page_height"))):
            wanted = max(units(getattr(self, name)), units(getattr(self, last)) - 2 * more[axis])
            setattr(self, name, millimetres(min(wanted, mosts[axis])))

    for _size in (page_width, page_height):
        _size.on_set(_note_page)
        _size.changed(_page_changed)
    for _edge in (source, tl_x, tl_y, br_x, br_y):
        _edge.changed(_area_changed)
    del _edge, _size

    # What the scanner is told, or asked, at once

    def set_sleep_timer(self, minutes: int) -> None:
        """Tell the scanner when to sleep."""
        raise NotImplementedError

    def set_off_timer(self, minutes: int) -> None:
        """Tell the scanner when to switch itself off."""
        raise NotImplementedError

    def sensor(self, name: str) -> int:
        """Return what the option *name* of a sensor or button has to tell."""
        raise NotImplementedError

    def current_side(self) -> bool:
        """Tell whether the next read delivers a back."""
        raise NotImplementedError

    @sleeptimer.changed
    def _sleep_changed(self) -> None:
        self.set_sleep_timer(self.sleeptimer)

    @offtimer.on_set
    def _off_rounded(self, value: int) -> int:
        return -(-value // OFF_STEP) * OFF_STEP

    @offtimer.changed
    def _off_changed(self) -> None:
        self.set_off_timer(self.offtimer)

    side.on_get(lambda device: device.current_side())
