"""The 57 options of a test device.

Source: specification of the test backend, sections 2.2 and 2.4.
"""

from __future__ import annotations

from ...backend import (
    CAP_ADVANCED,
    CAP_EMULATED,
    CAP_HARD_SELECT,
    CAP_SOFT_DETECT,
    CAP_SOFT_SELECT,
    UNIT_BIT,
    UNIT_DPI,
    UNIT_MICROSECOND,
    UNIT_MM,
    UNIT_PERCENT,
    UNIT_PIXEL,
    Device,
    Range,
    option,
    when,
)
from ...const import INFO_RELOAD_OPTIONS, INFO_RELOAD_PARAMS
from ...option import Bool, Button, Fixed, Group, Int, String
from ...param import WORD_MAX
from .settings import FORCED, MODES, ORDERS, PICTURES, SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SETTABLE = CAP_SOFT_SELECT | CAP_SOFT_DETECT
ADVANCED = SETTABLE | CAP_ADVANCED
PARAMS = INFO_RELOAD_PARAMS
BOTH = INFO_RELOAD_OPTIONS | INFO_RELOAD_PARAMS

WORD_LIST = (-42, -8, 0, 17, 42, 256, 65536, 16777216, 1073741824)
TEXT = (
    "This is the contents of the string option. Fill some more words to see how the frontend "
    "behaves."
)
LONG_ENTRY = "This is the very long third entry. Maybe the frontend has an idea how to display it"
MANY = ("First entry", "Second entry", *(str(number) for number in range(3, 47)))
SHARED_ARRAYS = (
    "int_constraint_array",
    "int_constraint_array_constraint_range",
    "int_constraint_array_constraint_word_list",
)
GAMMA_TABLES = ("red_gamma_table", "green_gamma_table", "blue_gamma_table", "gamma_table")


def gamma(length: int) -> tuple[int, ...]:
    """Return the preset gamma table of *length* entries."""
    return tuple(index * 255 // length for index in range(length))


SWITCHED_ON = when(enable_test_options=True)


class TestOptions(Device):
    """What can be set; TestDevice scans accordingly."""

    __test__ = False  # not a test class

    scan_mode_group = Group("Scan Mode")
    mode = option.mode(*MODES, reloads=BOTH)
    depth = option.depth(
        1, 8, 16, desc="Bits per sample; 1 is for black and white.", unit=0, reloads=BOTH
    )
    hand_scanner = Bool(
        "Hand-scanner simulation",
        "Behave like a hand scanner: the height is not known in advance and the width is "
        "always 11 cm.",
        reloads=BOTH,
    )
    three_pass = Bool(
        "Three-pass simulation",
        "Send colour images as three frames, one for each colour.",
        active=when(mode="Color"),
        reloads=BOTH,
    )
    three_pass_order = String(
        "Set the order of frames",
        "In which order the frames of a three-pass scan arrive.",
        ORDERS,
        active=when(mode="Color", three_pass=True),
        reloads=PARAMS,
    )
    resolution = Fixed(
        "Scan resolution",
        "Resolution of the scan.",
        Range(1, 1200, 1),
        unit=UNIT_DPI,
        reloads=PARAMS,
    )
    source = String(
        "Scan source",
        "Where the paper lies. The feeder is empty after 10 scans.",
        SOURCES,
    )

    special_group = Group("Special Options")
    test_picture = String(
        "Select the test picture",
        "What the scan shows.\n"
        "Solid black: nothing but black.\n"
        "Solid white: nothing but white.\n"
        "Color pattern: squares or ramps that depend on mode and depth.\n"
        "Grid: black and white squares of 10 mm.",
        PICTURES,
    )
    invert_endianess = Bool(
        "Invert endianness",
        "Swap the two bytes of each 16-bit sample.",
        active=when(depth=16),
    )
    read_limit = Bool(
        "Read limit", "Limit how many bytes one read returns.", reloads=INFO_RELOAD_OPTIONS
    )
    read_limit_size = Int(
        "Size of read-limit",
        "The most bytes that one read returns.",
        Range(1, 65536, 1),
        active=when(read_limit=True),
    )
    read_delay = Bool("Read delay", "Deliver the data slowly.", reloads=INFO_RELOAD_OPTIONS)
    read_delay_duration = Int(
        "Duration of read-delay",
        "How long to wait before each block of data.",
        Range(1000, 200000, 1000),
        unit=UNIT_MICROSECOND,
        active=when(read_delay=True),
    )
    read_return_value = String(
        "Return-value of sane_read", "Let every read return this status.", FORCED
    )
    ppl_loss = Int(
        "Loss of pixels per line",
        "How many pixels at the end of each line are padding.",
        Range(0, 128, 1),
        unit=UNIT_PIXEL,
    )
    fuzzy_parameters = Bool(
        "Fuzzy parameters",
        "Report inexact parameters while no scan is running.",
        reloads=PARAMS,
    )
    non_blocking = Bool("Use non-blocking IO", "Permit non-blocking reads.")
    select_fd = Bool("Offer select file descriptor", "Offer a descriptor for select.")
    enable_test_options = Bool(
        "Enable test options",
        "Switch on options of every type, to see how a frontend shows them.",
        reloads=INFO_RELOAD_OPTIONS,
    )
    print_options = Button("Print options", "Write all options to the standard error output.")

    geometry_group = Group("Geometry")
    area = option.scan_area(width=200.0, height=200.0, active=when(hand_scanner=False))

    bool_group = Group("Bool test options", cap=CAP_ADVANCED)
    bool_soft_select_soft_detect = Bool(
        "(1/6) Bool soft select soft detect",
        "A boolean that can be set and read.",
        cap=ADVANCED,
        active=SWITCHED_ON,
    )
    bool_hard_select_soft_detect = Bool(
        "(2/6) Bool hard select soft detect",
        "A boolean that only the user can set, at the device, and that can be read.",
        cap=CAP_HARD_SELECT | CAP_SOFT_DETECT | CAP_ADVANCED,
        active=SWITCHED_ON,
    )
    bool_hard_select = Bool(
        "(3/6) Bool hard select",
        "A boolean that only the user can set, at the device, and that cannot be read.",
        cap=CAP_HARD_SELECT | CAP_ADVANCED,
        active=SWITCHED_ON,
    )
    bool_soft_detect = Bool(
        "(4/6) Bool soft detect",
        "A boolean that can only be read.",
        cap=CAP_SOFT_DETECT | CAP_ADVANCED,
        active=SWITCHED_ON,
    )
    bool_soft_select_soft_detect_emulated = Bool(
        "(5/6) Bool soft select soft detect emulated",
        "A boolean that can be set and read, and that software emulates.",
        cap=ADVANCED | CAP_EMULATED,
        active=SWITCHED_ON,
    )
    bool_soft_select_soft_detect_auto = Bool(
        "(6/6) Bool soft select soft detect auto",
        "A boolean that can be set and read, and that the device can choose itself.",
        cap=ADVANCED,
        active=SWITCHED_ON,
        auto=True,
    )

    int_group = Group("Int test options", cap=CAP_ADVANCED)
    int = Int(
        "(1/7) Int",
        "A whole number without unit or constraint.",
        cap=ADVANCED,
        active=SWITCHED_ON,
        default=42,
    )
    int_constraint_range = Int(
        "(2/7) Int constraint range",
        "A whole number of pixels from 4 to 192, in steps of 2.",
        Range(4, 192, 2),
        unit=UNIT_PIXEL,
        cap=ADVANCED,
        active=SWITCHED_ON,
        default=26,
    )
    int_constraint_word_list = Int(
        "(3/7) Int constraint word list",
        "A whole number of bits from a list.",
        WORD_LIST,
        unit=UNIT_BIT,
        cap=ADVANCED,
        active=SWITCHED_ON,
        default=42,
    )
    int_constraint_array = Int(
        "(4/7) Int array",
        "Six whole numbers in mm without constraint.",
        unit=UNIT_MM,
        cap=ADVANCED,
        active=SWITCHED_ON,
        length=6,
        default=(-17, 0, -5, 42, 91, 1073741824),
    )
    int_constraint_array_constraint_range = Int(
        "(5/7) Int array constraint range",
        "Six whole numbers in dpi from 4 to 192, in steps of 2.",
        Range(4, 192, 2),
        unit=UNIT_DPI,
        cap=ADVANCED,
        active=SWITCHED_ON,
        length=6,
        default=(48, 6, 4, 92, 190, 16),
    )
    int_constraint_array_constraint_word_list = Int(
        "(6/7) Int array constraint word list",
        "Six whole numbers in percent from a list.",
        WORD_LIST,
        unit=UNIT_PERCENT,
        cap=ADVANCED,
        active=SWITCHED_ON,
        length=6,
        default=(-42, 0, -8, 17, 42, 42),
    )
    int_inexact = Int(
        "(7/7) Int inexact",
        "A whole number that becomes one more than it is set to.",
        cap=ADVANCED,
        active=SWITCHED_ON,
        default=67,
    )
    red_gamma_table = Int(
        "Red intensity",
        "A gamma table for the red channel.",
        Range(0, 255, 1),
        cap=ADVANCED,
        active=SWITCHED_ON,
        length=256,
        default=gamma(256),
    )
    green_gamma_table = Int(
        "Green intensity",
        "A gamma table for the green channel.",
        Range(0, 255, 1),
        cap=ADVANCED,
        active=SWITCHED_ON,
        length=256,
        default=gamma(256),
    )
    blue_gamma_table = Int(
        "Blue intensity",
        "A gamma table for the blue channel.",
        Range(0, 255, 1),
        cap=ADVANCED,
        active=SWITCHED_ON,
        length=256,
        default=gamma(256),
    )
    gamma_table = Int(
        "Image intensity",
        "A gamma table for the whole image.",
        Range(0, 255, 1),
        cap=ADVANCED,
        active=SWITCHED_ON,
        length=4096,
        default=gamma(4096),
    )

    fixed_group = Group("Fixed test options", cap=CAP_ADVANCED)
    fixed = Fixed(
        "(1/3) Fixed",
        "A real number without unit or constraint.",
        cap=ADVANCED,
        active=SWITCHED_ON,
        default=42.0,
    )
    fixed_constraint_range = Fixed(
        "(2/3) Fixed constraint range",
        "A number of microseconds in a range with steps of 2.",
        Range(-42.17, 32767.9999, 2.0),
        unit=UNIT_MICROSECOND,
        cap=ADVANCED,
        active=SWITCHED_ON,
        default=41.83,
    )
    fixed_constraint_word_list = Fixed(
        "(3/3) Fixed constraint word list",
        "A real number from a list.",
        (-32.7, 12.1, 42.0, 129.5),
        cap=ADVANCED,
        active=SWITCHED_ON,
        default=42.0,
    )

    string_group = Group("String test options")
    string = String(
        "(1/3) String",
        "A text without constraint.",
        size=len(TEXT) + 1,
        active=SWITCHED_ON,
        default=TEXT,
    )
    string_constraint_string_list = String(
        "(2/3) String constraint string list",
        "A text from a list.",
        ("First entry", "Second entry", LONG_ENTRY),
        active=SWITCHED_ON,
    )
    string_constraint_long_string_list = String(
        "(3/3) String constraint long string list",
        "A text from a list of many.",
        MANY,
        active=SWITCHED_ON,
    )

    button_group = Group("Button test options")
    button = Button(
        "(1/1) Button",
        "Writes a line to the standard error output.",
        active=SWITCHED_ON,
    )

    @int_inexact.on_set
    def _one_more(self, value: Any) -> Any:
        return value + 1 if value < WORD_MAX else -WORD_MAX - 1

    @button.changed
    def _pressed(self) -> None:
        self.debug(0, "the button was pressed")

    @print_options.changed
    def _print_options(self) -> None:
        from .listing import lines

        for line in lines(self):
            self.debug(0, "%s", line)
