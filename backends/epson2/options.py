"""The 39 options of an ESC/I scanner, and what each means to it.

What a scanner lacks is inactive. Source: specification esci 3, and descriptors of the original.
"""

from __future__ import annotations

from ...backend import (
    CAP_ADVANCED,
    CAP_SOFT_DETECT,
    CAP_SOFT_SELECT,
    INFO_RELOAD_OPTIONS,
    INFO_RELOAD_PARAMS,
    UNIT_BIT,
    UNIT_DPI,
    UNIT_MM,
    Device,
    Range,
)
from ...option import Bool, Button, Fixed, Group, Int, String
from ...param import fix
from . import models
from .matrix import matrix_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...option import Option
    from .capabilities import Capabilities, Size
    from .commands import Commands

OPTIONS, PARAMS = INFO_RELOAD_OPTIONS, INFO_RELOAD_PARAMS
ADVANCED = CAP_SOFT_SELECT | CAP_SOFT_DETECT | CAP_ADVANCED

LINEART, GRAY, COLOR = "Lineart", "Gray", "Color"
HALFTONES = {  # as ESC B
    "None": 0x01,
    "Halftone A (Hard Tone)": 0x00,
    "Halftone B (Soft Tone)": 0x10,
    "Halftone C (Net Screen)": 0x20,
    "Dither A (4x4 Bayer)": 0x80,
    "Dither B (4x4 Spiral)": 0x90,
    "Dither C (4x4 Net Screen)": 0xA0,
    "Dither D (8x4 Net Screen)": 0xB0,
    "Text Enhanced Technology": 0x03,
    "Download pattern A": 0xC0,
    "Download pattern B": 0xD0,
}
HALFTONE_COUNTS = ((7, 11), (4, 8), (0, 4))  # from which digit of the level how many
TEXT_ENHANCED = "Text Enhanced Technology"
DROPOUTS = {"None": 0x00, "Red": 0x10, "Green": 0x20, "Blue": 0x30}
GAMMAS = {  # as ESC Z; Default is 1 for line art
    "Default": 0x02,
    "User defined": 0x03,
    "High density printing": 0x00,
    "Low density printing": 0x10,
    "High contrast printing": 0x20,
}
GAMMAS_D = {"User defined (Gamma=1.0)": 0x03, "User defined (Gamma=1.8)": 0x04}
GAMMA_LINEART = 0x01
USER_GAMMAS = (0x03, 0x04)
NO_PROFILE, BUILT_IN, USER_PROFILE = (
    "None",
    "Built in CCT profile",
    "User defined CCT profile",
)
FLATBED, ADF, TPU, TPU2 = (
    "Flatbed",
    "Automatic Document Feeder",
    "Transparency Unit",
    "TPU8x10",
)
FILMS = ("Positive Film", "Negative Film", "Positive Slide", "Negative Slide")
SIMPLEX, DUPLEX = "Simplex", "Duplex"
GLASS_FOCUS, FILM_FOCUS = 64, 89
IDENTITY = tuple(range(256))


def table(title: str, color: str) -> Int:
    """Return one of the three gamma tables."""
    return Int(
        title,
        f"What each {color} sample becomes.",
        Range(0, 255),
        length=256,
        default=IDENTITY,
        active=lambda device: device.has("z") and device.is_user_gamma,
        depends=("gamma_correction",),
    )


def corner(title: str, side: str) -> Fixed:
    """Return one corner of the scan area; the bed sets its limits."""
    return Fixed(
        title,
        f"Scan area: {side}.",
        Range(0, 0),
        unit=UNIT_MM,
        reloads=PARAMS,
    )


class EpsonOptions(Device):
    """The options, in the order of the original, and the settings that follow from them.

    Some of them are active at first and then, once another one was set, only where they have an
    effect: touched holds the attributes that were set.
    """

    may_raise_sigpipe = False
    sets_always = True

    caps: Capabilities
    commands: Commands
    touched: set[str]
    depths: dict[str, int]  # the depth of each mode
    bed: str  # the source that the scan area belongs to

    def told_info(self, option: Option, action: int, info: int) -> int:
        """One reload bit means both."""
        if option.attribute == "halftoning" and self.halftoning == "None":
            info |= OPTIONS  # told each time, whether the threshold was there or not
        return info | PARAMS if info & OPTIONS else info

    mode_group = Group("Scan Mode")
    mode = String(
        "Scan mode",
        "Scan in black and white, gray or colour.",
        (LINEART, GRAY, COLOR),
        reloads=OPTIONS | PARAMS,
    )
    depth = Int(
        "Bit depth",
        "Bits per sample.",
        (8,),
        unit=UNIT_BIT,
        active=lambda device: device.mode != LINEART and len(device.caps.depths) > 1,
        depends=("mode",),
        reloads=OPTIONS | PARAMS,
    )
    halftoning = String(
        "Halftoning",
        "How shades of gray are made of black and white.",
        tuple(HALFTONES),
        default="Halftone A (Hard Tone)",
        active=lambda device: device.has("B") and device.mode == LINEART,
        depends=("mode",),
    )
    dropout = String(
        "Dropout",
        "The colour that the scanner does not see.",
        tuple(DROPOUTS),
        cap=ADVANCED,
        active=lambda device: device.mode != COLOR,
        depends=("mode",),
    )
    brightness = Int(
        "Brightness",
        "How bright the image is.",
        Range(0, 0),
        default=0,
        active=lambda device: device.has("L") and not device.is_user_gamma,
        depends=("gamma_correction",),
    )
    sharpness = Int(
        "Sharpness",
        "How much edges are sharpened, or softened below 0.",
        Range(-2, 2),
        default=0,
        active=lambda device: device.has("Q"),
    )
    gamma_correction = String(
        "Gamma Correction",
        "A gamma curve of the scanner, or the tables below.",
        tuple(GAMMAS),
        size=1 + max(map(len, (*GAMMAS, *GAMMAS_D))),
        active=lambda device: device.has("Z"),
    )
    color_correction = String(
        "Color correction",
        "The colour matrix that the scanner applies.",
        (NO_PROFILE, BUILT_IN, USER_PROFILE),
        default=BUILT_IN,
        cap=ADVANCED,
        active=lambda device: device.has("M") and device.is_correctable,
        depends=("mode",),
    )
    resolution = Int(
        "Scan resolution", "Resolution of the scan.", (75,), unit=UNIT_DPI, reloads=OPTIONS | PARAMS
    )
    threshold = Int(
        "Threshold",
        "From which lightness on a pixel is white.",
        Range(0, 255),
        default=128,
        active=lambda device: device.has_threshold,
        depends=("mode", "halftoning"),
    )

    advanced_group = Group("Advanced", cap=CAP_ADVANCED)
    mirror = Bool(
        "Mirror image", "Turn the image over, left to right.", active=lambda d: d.has("K")
    )
    auto_area_segmentation = Bool(
        "Auto area segmentation",
        "Tell text from pictures, and make half-tones only of these.",
        default=True,
        active=lambda device: device.has_segmentation,
        depends=("mode", "halftoning"),
    )
    red_gamma_table = table("Red intensity", "red")
    green_gamma_table = table("Green intensity", "green")
    blue_gamma_table = table("Blue intensity", "blue")
    wait_for_button = Bool(
        "Wait for Button",
        "Begin when the button of the scanner is pressed.",
        cap=ADVANCED,
        active=lambda device: device.has("!") and device.caps.has_button,
    )

    color_group = Group("Color correction", cap=CAP_ADVANCED)
    cct_type = String(
        "CCT Profile Type",
        "What the built-in profile is for.",
        (
            "Automatic",
            "Reflective",
            "Colour negatives",
            "Monochrome negatives",
            "Colour positives",
        ),
        cap=ADVANCED,
        active=lambda device: False,
    )
    cct_profile = Fixed(
        "CCT Profile",
        "The user defined colour matrix: red, green and blue from red, green and blue.",
        Range(-2.0, 2.0),
        length=9,
        default=(0.0,) * 9,
        cap=ADVANCED,
    )

    preview_group = Group("Preview", cap=CAP_ADVANCED)
    preview = Bool("Preview", "Scan quickly rather than well.")

    geometry_group = Group("Geometry", cap=CAP_ADVANCED)
    tl_x = corner("Top-left x", "left side")
    tl_y = corner("Top-left y", "top side")
    br_x = corner("Bottom-right x", "right side")
    br_y = corner("Bottom-right y", "bottom side")

    focus_group = Group("Focus", cap=CAP_ADVANCED)
    autofocus = Bool(
        "Autofocus",
        "Let the scanner find the focus.",
        cap=ADVANCED,
        active=lambda device: device.caps.has_focus,
    )
    focus = Int(
        "Focus position",
        "Where the focus is: 64 on the glass, 89 for film 2.5 mm above it.",
        Range(0, 254),
        default=GLASS_FOCUS,
        cap=ADVANCED,
        active=lambda device: device.caps.has_focus and not device.autofocus,
        depends=("autofocus",),
    )

    equipment_group = Group("Optional equipment", cap=CAP_ADVANCED)
    source = String(
        "Scan source",
        "Where the paper or film lies.",
        (FLATBED, ADF, TPU, TPU2),
        active=lambda device: device.caps.has_option,
        reloads=OPTIONS | PARAMS,
    )
    auto_eject = Bool(
        "Auto eject",
        "Eject the sheet after the last page.",
        active=lambda device: device.has_eject,
        depends=("source",),
    )
    film_type = String(
        "Film type",
        "What kind of film lies in the transparency unit.",
        FILMS,
        active=lambda device: device.is_film and device.has("N"),
        depends=("source",),
    )
    bay = String("Bay", "The film holder's frame.", tuple("123456"), active=lambda d: d.has("P"))
    eject = Button(
        "Eject",
        "Eject the sheet in the scanner.",
        active=lambda device: device.has_eject,
        depends=("source",),
    )
    adf_mode = String(
        "ADF Mode",
        "Scan one side of each sheet or both.",
        (SIMPLEX, DUPLEX),
        active=lambda device: device.has_adf_mode,
        depends=("source",),
    )

    # What conditions and settings are made of

    def has(self, command: str) -> bool:
        """Tell whether the scanner has the ESC command or control byte *command*."""
        return command in self.caps.commands

    @property
    def gamma(self) -> int:
        """The value of ESC Z."""
        if self.caps.is_d:
            return GAMMAS_D[self.gamma_correction]
        if self.gamma_correction == "Default" and self.mode == LINEART:
            return GAMMA_LINEART
        return GAMMAS[self.gamma_correction]

    @property
    def is_user_gamma(self) -> bool:
        """Whether the gamma tables are applied."""
        return self.has("Z") and self.gamma in USER_GAMMAS

    @property
    def is_correctable(self) -> bool:
        """Whether a colour matrix makes a difference, for all that is known yet."""
        return self.mode == COLOR or "mode" not in self.touched

    @property
    def has_threshold(self) -> bool:
        """Whether the threshold can be set."""
        if not self.touched & {"mode", "halftoning"}:
            return self.has("t")
        return self.has("s") and self.mode == LINEART and self.halftoning == "None"

    @property
    def has_segmentation(self) -> bool:
        """Whether text can be told from pictures."""
        if not self.touched & {"mode", "halftoning"}:
            return self.has("s")
        return self.has("s") and self.mode == LINEART and self.halftoning != TEXT_ENHANCED

    @property
    def is_option_used(self) -> bool:
        """Whether the option unit is selected."""
        return bool(self.source != FLATBED)

    @property
    def is_film(self) -> bool:
        """Whether a transparency unit is selected."""
        return self.source in (TPU, TPU2)

    @property
    def has_eject(self) -> bool:
        """Whether there is a sheet to be ejected, for all that is known yet."""
        return self.caps.adf is not None and (self.is_option_used or "source" not in self.touched)

    @property
    def has_adf_mode(self) -> bool:
        """Whether both sides can be scanned, for all that is known yet."""
        return (
            self.caps.adf is not None
            and self.caps.is_duplex
            and (self.source == ADF or "source" not in self.touched)
        )

    @property
    def option_control(self) -> int:
        """The value of ESC e: what is scanned from."""
        if self.source == TPU2:
            return 5
        if self.source == ADF and self.caps.is_duplex and self.adf_mode == DUPLEX:
            return 2
        return 1 if self.is_option_used else 0

    def beds(self) -> dict[str, Size]:
        """Return the sources that there are, with their sizes in mm."""
        caps = self.caps
        named = ((FLATBED, caps.flatbed), (ADF, caps.adf), (TPU, caps.tpu), (TPU2, caps.tpu2))
        return {name: size for name, size in named if size is not None}

    def preset(self) -> None:
        """Give the options the values that depend on the scanner."""
        caps = self.caps
        self.touched = set()
        self.depths = dict.fromkeys((LINEART, GRAY, COLOR), 8)
        self.bed = FLATBED
        self.resolution = caps.minimum
        if caps.is_d:
            self.gamma_correction = next(reversed(GAMMAS_D))
        self.cct_profile = matrix_values(models.matrix(caps.name))
        if caps.flatbed is not None:
            self.br_x, self.br_y = caps.flatbed

    # Constraints of this scanner

    @depth.constrained()
    def _depths(self) -> list[int]:
        return self.caps.depths

    @halftoning.constrained()
    def _halftones(self) -> list[str]:
        count = next(count for digit, count in HALFTONE_COUNTS if self.caps.digit >= digit)
        return list(HALFTONES)[:count]

    @brightness.constrained()
    def _brightnesses(self) -> Range:
        return Range(*self.caps.brightness)

    @gamma_correction.constrained()
    def _gammas(self) -> list[str]:
        return list(GAMMAS_D if self.caps.is_d else GAMMAS)

    @resolution.constrained()
    def _resolutions(self) -> list[int]:
        return self.caps.resolutions

    @tl_x.constrained()
    def _lefts(self) -> Range:
        return Range(0, self.beds()[FLATBED][0])

    @tl_y.constrained()
    def _tops(self) -> Range:
        return Range(0, self.beds()[FLATBED][1])

    @br_x.constrained("source")
    def _rights(self) -> Range:
        return Range(0, self.beds()[self.source][0])

    @br_y.constrained("source")
    def _bottoms(self) -> Range:
        return Range(0, self.beds()[self.source][1])

    @source.constrained()
    def _sources(self) -> list[str]:
        return list(self.beds())

    # What a change brings along

    @mode.changed
    def _mode_changed(self) -> None:
        self.touched.add("mode")
        self.depth = self.depths[self.mode]

    @depth.changed
    def _depth_changed(self) -> None:
        if self.mode != LINEART:
            self.depths[self.mode] = self.depth

    @halftoning.changed
    def _halftoning_changed(self) -> None:
        self.touched.add("halftoning")

    @source.changed
    def _source_changed(self) -> None:
        """Let an area that was all of one bed become all of the other."""
        if "reset-source" in self.caps.quirks:
            self.commands.reset()
        if self.source == self.bed:
            return
        self.touched.add("source")
        old, new = self.beds()[self.bed], self.beds()[self.source]
        corners = (self.tl_x, self.tl_y, self.br_x, self.br_y)
        if [*map(fix, corners)] == [*map(fix, (0.0, 0.0, *old))]:
            self.br_x, self.br_y = new
        self.bed = self.source
        if self.caps.has_focus:
            self.focus = FILM_FOCUS if self.is_film else GLASS_FOCUS

    @eject.changed
    def _eject_pressed(self) -> None:
        self.commands.eject()
