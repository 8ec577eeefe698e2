"""What is known of Fujitsu's, PFU's and Ricoh's scanners: ids, names, quirks. Data, no code.

A capability block (capabilities.py) says nearly everything; what it leaves out or has wrong
stands here. Source: specification fujitsu 3.3, 10, 11 and 15.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    Row = tuple[int, str, str]

FUJITSU, RICOH = 0x04C5, 0x05CA
COMPLETE, GOOD, UNTESTED, UNSUPPORTED = "complete", "good", "untested", "unsupported"

# USB product id (of Fujitsu's vendor id), name, and how far it is known to work.
MODELS: tuple[Row, ...] = (
    (0x1041, "fi-4120C", COMPLETE),
    (0x1042, "fi-4220C", COMPLETE),
    (0x1078, "fi-4530C", COMPLETE),
    (0x1095, "fi-5750C", COMPLETE),
    (0x1096, "fi-5110EOX/2", COMPLETE),
    (0x1097, "fi-5110C", COMPLETE),
    (0x10AD, "fi-5650C", COMPLETE),
    (0x10AE, "fi-4120C2", COMPLETE),
    (0x10AF, "fi-4220C2", COMPLETE),
    (0x10CF, "fi-4340C", COMPLETE),
    (0x10E0, "fi-5120C", COMPLETE),
    (0x10E1, "fi-5220C", COMPLETE),
    (0x10E2, "fi-5530C", COMPLETE),
    (0x10E6, "fi-5110EOX3", COMPLETE),
    (0x10E7, "fi-5900C", GOOD),
    (0x10F2, "fi-5110EOXM", COMPLETE),
    (0x10FE, "ScanSnap S500", COMPLETE),
    (0x1135, "ScanSnap S500M", COMPLETE),
    (0x114A, "fi-5530C2", COMPLETE),
    (0x114D, "fi-6140", COMPLETE),
    (0x114E, "fi-6240", COMPLETE),
    (0x114F, "fi-6130", COMPLETE),
    (0x1150, "fi-6230", COMPLETE),
    (0x1155, "ScanSnap S510", COMPLETE),
    (0x116F, "ScanSnap S510M", COMPLETE),
    (0x1174, "fi-6770", GOOD),
    (0x1175, "fi-6770A", GOOD),
    (0x1176, "fi-6670", GOOD),
    (0x1177, "fi-6670A", GOOD),
    (0x1178, "fi-6750S", UNTESTED),
    (0x119D, "fi-6800", UNTESTED),
    (0x119E, "fi-6800-CGA", UNTESTED),
    (0x11A2, "ScanSnap S1500", COMPLETE),
    (0x11F1, "fi-6140Z", COMPLETE),
    (0x11F2, "fi-6240Z", COMPLETE),
    (0x11F3, "fi-6130Z", COMPLETE),
    (0x11F4, "fi-6230Z", COMPLETE),
    (0x11FC, "fi-6110", COMPLETE),
    (0x1213, "fi-5950", UNTESTED),
    (0x128E, "ScanSnap SV600", UNSUPPORTED),
    (0x132B, "ScanSnap iX500", GOOD),
    (0x132C, "fi-7180", COMPLETE),
    (0x132D, "fi-7280", COMPLETE),
    (0x132E, "fi-7160", COMPLETE),
    (0x132F, "fi-7260", COMPLETE),
    (0x13F3, "ScanSnap iX500EE", UNTESTED),
    (0x13F4, "ScanSnap iX100", GOOD),
    (0x140A, "ScanPartner SP30", GOOD),
    (0x145F, "fi-6140ZLA", UNTESTED),
    (0x1460, "fi-6240ZLA", UNTESTED),
    (0x1461, "fi-6130ZLA", COMPLETE),
    (0x1462, "fi-6230ZLA", UNTESTED),
    (0x1463, "fi-6125ZLA", UNTESTED),
    (0x1464, "fi-6225ZLA", UNTESTED),
    (0x146B, "fi-6135ZLA", UNTESTED),
    (0x146C, "fi-6235ZLA", UNTESTED),
    (0x146D, "fi-6120ZLA", UNTESTED),
    (0x146E, "fi-6220ZLA", UNTESTED),
    (0x146F, "ScanSnap N7100", UNTESTED),
    (0x14AC, "fi-6400", GOOD),
    (0x14B8, "fi-7480", GOOD),
    (0x14BD, "fi-6420", UNTESTED),
    (0x14BE, "fi-7460", GOOD),
    (0x14DF, "fi-7140", GOOD),
    (0x14E0, "fi-7240", UNTESTED),
    (0x14E1, "fi-7135", UNTESTED),
    (0x14E2, "fi-7235", UNTESTED),
    (0x14E3, "fi-7130", UNTESTED),
    (0x14E4, "fi-7230", UNTESTED),
    (0x14E5, "fi-7125", UNTESTED),
    (0x14E6, "fi-7225", UNTESTED),
    (0x14E7, "fi-7120", UNTESTED),
    (0x14E8, "fi-7220", UNTESTED),
    (0x151E, "fi-400F", UNTESTED),
    (0x151F, "fi-7030", GOOD),
    (0x1520, "fi-7700", GOOD),
    (0x1521, "fi-7600", GOOD),
    (0x1522, "fi-7700S", UNTESTED),
    (0x1575, "fi-7300NX", GOOD),
    (0x159F, "ScanSnap iX1500", GOOD),
    (0x15FC, "fi-800R", GOOD),
    (0x15FD, "fi-8190", GOOD),
    (0x15FE, "fi-8290", GOOD),
    (0x15FF, "fi-8170", GOOD),
    (0x1600, "fi-8270", GOOD),
    (0x1601, "fi-8150", GOOD),
    (0x1602, "fi-8250", GOOD),
    (0x160A, "fi-7900", GOOD),
    (0x160B, "fi-7800", GOOD),
    (0x162C, "ScanSnap iX1300", GOOD),
    (0x162D, "fi-8150U", GOOD),
    (0x162E, "fi-8250U", GOOD),
    (0x1630, "ScanSnap iX1400", UNTESTED),
    (0x1632, "ScanSnap iX1600", GOOD),
)
RICOH_MODELS: tuple[Row, ...] = (
    (0x0307, "fi-8040", UNTESTED),
    (0x0308, "fi-70F", UNTESTED),
)

# How much is asked for with one READ: older scanners take no more. Source: 11.
OLD_BUFFER_BYTES, BUFFER_BYTES, LAST_OLD_PRODUCT = 65536, 262144, 0x114A

ALTERNATING, SEQUENTIAL, ONE_STREAM = "alternating", "sequential", "one stream"
PIXELS, SWAPPED, PLANES = "RGB pixels", "BGR pixels", "lines of each colour"


class Quirks:
    """What differs from what a capability block says; one object for a row of QUIRKS.

    is_m3091: another vendor block in windows, one stream for both sides, colours with a gap,
    status bits in the sense data. has_serial: it answers the question for its serial number.
    skipped_pages: mode pages that it must not be asked for. needs_tables: wants quantisation
    tables. needs_preread: has to be told the size of the paper at first. checks_hopper: must not
    be told to feed from an empty hopper. waits_after_feed: is asked whether it is ready then.
    lut_bits: of the A/D converter, 0: as it says. lengths: (dpi, u): up to this resolution the
    paper may be that long. overscan: in basic pixels, None: as it says. flatbed: its size in u,
    0: as the feeder's. multiples: of the pixels in a line, by mode. duplex, color_order: in which
    order they come ("" is asked). is_crop_absolute: left edges are measured on the sensor, not on
    the paper. software_modes: made here of what it scans. has_halftone, has_back_only: False
    where it claims so and is wrong. fixes_flatbed, fixes_rif: it has them and does not say so.
    """

    def __init__(
        self,
        *,
        is_m3091: bool = False,
        has_serial: bool = True,
        skipped_pages: tuple[int, ...] = (),
        needs_tables: bool = False,
        needs_preread: bool = False,
        checks_hopper: bool = False,
        waits_after_feed: bool = True,
        lut_bits: int = 0,
        lengths: tuple[tuple[int, int], ...] = (),
        overscan: tuple[int, int] | None = None,
        flatbed: tuple[int, int] = (0, 0),
        multiples: dict[str, int] | None = None,
        duplex: str = ALTERNATING,
        color_order: str = "",
        is_crop_absolute: bool = False,
        software_modes: tuple[str, ...] = (),
        has_halftone: bool = True,
        has_back_only: bool = True,
        fixes_flatbed: bool = False,
        fixes_rif: bool = False,
    ) -> None:
        self.is_m3091 = is_m3091
        self.has_serial = has_serial
        self.skipped_pages = skipped_pages
        self.needs_tables = needs_tables
        self.needs_preread = needs_preread
        self.checks_hopper = checks_hopper
        self.waits_after_feed = waits_after_feed
        self.lut_bits = lut_bits
        self.lengths = lengths
        self.overscan = overscan
        self.flatbed = flatbed
        self.multiples = dict(multiples or {})
        self.duplex = duplex
        self.color_order = color_order
        self.is_crop_absolute = is_crop_absolute
        self.software_modes = software_modes
        self.has_halftone = has_halftone
        self.has_back_only = has_back_only
        self.fixes_flatbed = fixes_flatbed
        self.fixes_rif = fixes_rif


def _m3091(*, has_flatbed: bool) -> Quirks:
    return Quirks(
        is_m3091=True,
        lut_bits=8,
        duplex=ONE_STREAM,
        color_order=PLANES,
        has_back_only=False,
        fixes_flatbed=has_flatbed,
        fixes_rif=True,
    )


BACKGROUND_PAGE, PREPICK_PAGE = 0x37, 0x33
LENGTHS_6 = ((200, 151512),)
LENGTHS_71 = ((400, 194268), (300, 260268), (200, 266268))
LENGTHS_70 = ((400, 192000), (300, 258000), (200, 264000))
FLATBED = (10764, 14032)  # u
MULTIPLES_4 = {"Lineart": 32, "Halftone": 32, "Gray": 4, "Color": 4}
SCANSNAP = {  # ScanSnap iX100 and iX500
    "needs_tables": True,
    "needs_preread": True,  # or resolutions above 300 dpi fail
    "checks_hopper": True,  # feeding from an empty one ends in an error of its own
    "waits_after_feed": False,
    "lut_bits": 8,
    "multiples": {"Color": 2},
    "has_halftone": False,
}

# The first row counts of which a text is part of the product name that INQUIRY tells.
QUIRKS: tuple[tuple[tuple[str, ...], Quirks], ...] = (
    (("M3091",), _m3091(has_flatbed=False)),
    (("M3092",), _m3091(has_flatbed=True)),
    (("M3093",), Quirks(lut_bits=8, duplex=SEQUENTIAL, has_back_only=False)),
    (("M309", "M409"), Quirks(has_serial=False, lut_bits=8)),
    (("fi-4120C2", "fi-4220C2"), Quirks(overscan=(118, 118), flatbed=(0, 14032))),
    (("fi-4220C",), Quirks(flatbed=(0, 14032))),
    (("fi-4340", "fi-4750"), Quirks(has_serial=False)),  # they answer with random numbers
    (("Fi-4860", "fi-4860"), Quirks(has_serial=False, multiples=MULTIPLES_4)),
    (
        ("Fi-4990", "fi-4990"),
        Quirks(duplex=SEQUENTIAL, color_order=PLANES, multiples=MULTIPLES_4),
    ),
    (("fi-5110C",), Quirks(overscan=(147, 147))),
    (("fi-5110EOX",), Quirks(is_crop_absolute=True)),
    (("fi-5220C",), Quirks(flatbed=FLATBED)),
    (("fi-5530", "fi-5650", "fi-5750"), Quirks(lut_bits=8)),  # a table of 10 bits fails over USB
    (("S1500",), Quirks(skipped_pages=(BACKGROUND_PAGE, PREPICK_PAGE))),
    (("fi-6130", "fi-6140"), Quirks(lengths=LENGTHS_6)),
    (("fi-6230", "fi-6240"), Quirks(lengths=LENGTHS_6, flatbed=FLATBED)),
    (("fi-6110",), Quirks(lengths=LENGTHS_6, skipped_pages=(BACKGROUND_PAGE, PREPICK_PAGE))),
    (("fi-6800", "fi-5900"), Quirks()),
    (("iX500",), Quirks(**SCANSNAP, software_modes=("Lineart", "Gray"))),  # type: ignore[arg-type]
    (("iX100",), Quirks(**SCANSNAP)),  # type: ignore[arg-type]
    (("fi-7180", "fi-7160", "fi-7480", "fi-7460"), Quirks(lengths=LENGTHS_71)),
    (("fi-7280", "fi-7260"), Quirks(lengths=LENGTHS_71, flatbed=FLATBED)),
    (("fi-7030", "fi-7700", "fi-7600"), Quirks(lengths=LENGTHS_70)),
)


def quirks_of(product: str) -> Quirks:
    """Return what is particular to the scanner that calls itself *product*."""
    for texts, quirks in QUIRKS:
        if any(text in product for text in texts):
            return quirks
    return Quirks()


def supported(rows: tuple[Row, ...]) -> list[Row]:
    """Return the rows of models that are not known to fail."""
    return [row for row in rows if row[2] != UNSUPPORTED]


def buffer_bytes(product_id: int) -> int:
    """Return how much is asked for at once of a scanner with this USB product id."""
    return OLD_BUFFER_BYTES if product_id <= LAST_OLD_PRODUCT else BUFFER_BYTES
