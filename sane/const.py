"""The numbers of the SANE standard, once, as plain ints; tests compare them with sane.h.

Source: SANE standard 1.06, sections 4.2 and 4.3.
"""

LIBRARY_VERSION = (1, 2, 1)  # what sane_init reports: the release that we are compatible with

# Status codes (standard 4.2.7).
STATUS_GOOD = 0
STATUS_UNSUPPORTED = 1
STATUS_CANCELLED = 2
STATUS_DEVICE_BUSY = 3
STATUS_INVAL = 4
STATUS_EOF = 5
STATUS_JAMMED = 6
STATUS_NO_DOCS = 7
STATUS_COVER_OPEN = 8
STATUS_IO_ERROR = 9
STATUS_NO_MEM = 10
STATUS_ACCESS_DENIED = 11

# Of the drafts of SANE 2: some C backends give them all the same.
STATUS_WARMING_UP = 12
STATUS_HW_LOCKED = 13

STATUS_NAMES = (
    "GOOD",
    "UNSUPPORTED",
    "CANCELLED",
    "DEVICE_BUSY",
    "INVAL",
    "EOF",
    "JAMMED",
    "NO_DOCS",
    "COVER_OPEN",
    "IO_ERROR",
    "NO_MEM",
    "ACCESS_DENIED",
)

# What sane_strstatus says, by status; frontends compare and translate these texts.
STATUS_TEXTS = (
    "Success",
    "Operation not supported",
    "Operation was canceled",
    "Device busy",
    "Invalid argument",
    "End of file reached",
    "Document feeder jammed",
    "Document feeder out of documents",
    "Scanner cover is open",
    "Error during device I/O",
    "Out of memory",
    "Access to resource has been denied",
)

# The functions of a backend, sane_NAME_<operation> (standard 4.3); tables in C have this order.
OPERATIONS = (
    "init",
    "exit",
    "get_devices",
    "open",
    "close",
    "get_option_descriptor",
    "control_option",
    "get_parameters",
    "start",
    "read",
    "cancel",
    "set_io_mode",
    "get_select_fd",
)

# Value types (standard 4.2.9.4).
TYPE_BOOL = 0
TYPE_INT = 1
TYPE_FIXED = 2
TYPE_STRING = 3
TYPE_BUTTON = 4
TYPE_GROUP = 5

# Units (standard 4.2.9.5).
UNIT_NONE = 0
UNIT_PIXEL = 1
UNIT_BIT = 2
UNIT_MM = 3
UNIT_DPI = 4
UNIT_PERCENT = 5
UNIT_MICROSECOND = 6

# Constraint types (standard 4.2.9.8).
CONSTRAINT_NONE = 0
CONSTRAINT_RANGE = 1
CONSTRAINT_WORD_LIST = 2
CONSTRAINT_STRING_LIST = 3

# Capability bits (standard 4.2.9.7).
CAP_SOFT_SELECT = 1
CAP_HARD_SELECT = 2
CAP_SOFT_DETECT = 4
CAP_EMULATED = 8
CAP_AUTOMATIC = 16
CAP_INACTIVE = 32
CAP_ADVANCED = 64

# Actions and info bits of sane_control_option (standard 4.3.7).
ACTION_GET_VALUE = 0
ACTION_SET_VALUE = 1
ACTION_SET_AUTO = 2

INFO_INEXACT = 1
INFO_RELOAD_OPTIONS = 2
INFO_RELOAD_PARAMS = 4

# Frame formats (standard 4.3.8).
FRAME_GRAY = 0
FRAME_RGB = 1
FRAME_RED = 2
FRAME_GREEN = 3
FRAME_BLUE = 4

FIXED_SCALE = 1 << 16
MAX_USERNAME_LEN = 128
MAX_PASSWORD_LEN = 128
MM_PER_INCH = 25.4
