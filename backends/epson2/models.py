"""What is known of ESC/I scanners: USB ids, colour matrices, command levels, and quirks.

Data, and how to look it up. A line that begins with blanks continues the one before.

Source: specification esci 2.2 (levels, quirks), 2.10 (matrices), 5.1 (ids).
"""

from __future__ import annotations

from .._epson.backend import VENDOR, VENDOR_NAME

# Product id; network: Y works over TCP, P probably, v only with the maker's own program, - none
# known; model names. What a scanner can do is never derived from its id: it says so itself.
USB = """
0101 - GT-7000U, Perfection 636U
0103 - GT-6600U, Perfection 610
0104 - GT-7600U, GT-7600UF, Perfection 1200U, Perfection 1200U Photo
0105 - Stylus Scan 2000
0106 - Stylus Scan 2500
0107 - ES-2000, Expression 1600
0109 - ES-8500, Expression 1640XL
010a - GT-8700, GT-8700F, Perfection 1640SU, Perfection 1640SU Photo
010b - GT-7700U, Perfection 1240U
010c - GT-6700U, Perfection 640U
010e - ES-2200, Expression 1680
0110 - GT-8200U, GT-8200UF, Perfection 1650, Perfection 1650 Photo
0112 - GT-9700F, Perfection 2450 Photo
011b - GT-9300UF, Perfection 2400 Photo
011c - GT-9800F, Perfection 3200 Photo
011e - GT-8300UF, Perfection 1660 Photo
0126 P ES-7000H, GT-15000
0128 - GT-X700, Perfection 4870 Photo
0129 P ES-10000G, Expression 10000XL
012a - GT-X800, Perfection 4990 Photo
012b P ES-H300, GT-2500
012c - GT-X900, Perfection V700 Photo, Perfection V750 Photo
0135 - GT-X970
0138 v ES-H7200, GT-20000
014b - ES-G11000, Expression 11000XL
0151 - GT-X980, Perfection V800 Photo, Perfection V850 Pro
015b - DS-G20000, Expression 12000XL
0801 - CC-600PX, Stylus CX5100, Stylus CX5200
0802 - CC-570L, Stylus CX3100, Stylus CX3200
0805 - Stylus CX6300, Stylus CX6400
0806 - PM-A850, Stylus Photo RX600
0807 - Stylus Photo RX500, Stylus Photo RX510
0808 - Stylus CX5300, Stylus CX5400
080d - Stylus CX4500, Stylus CX4600
080e - PX-A550, Stylus CX3500, Stylus CX3600, Stylus CX3650
080f - Stylus Photo RX420, Stylus Photo RX425, Stylus Photo RX430
0810 - PM-A900, Stylus Photo RX700
0811 - PM-A870, Stylus Photo RX620, Stylus Photo RX630
0813 - Stylus CX6500, Stylus CX6600
0814 - PM-A700
0815 Y AcuLaser CX11, AcuLaser CX11NF, LP-A500
0817 P LP-M5500, LP-M5500F
0818 - Stylus CX3700, Stylus CX3800, Stylus CX3810, Stylus DX3800
0819 - PX-A650, Stylus CX4700, Stylus CX4800, Stylus DX4800, Stylus DX4850
081a - PM-A750, Stylus Photo RX520, Stylus Photo RX530
081c - PM-A890, Stylus Photo RX640, Stylus Photo RX650
081d - PM-A950
081f - Stylus CX7700, Stylus CX7800
0820 - Stylus CX4100, Stylus CX4200, Stylus DX4200
0827 - PM-A820, Stylus Photo RX560, Stylus Photo RX580, Stylus Photo RX590
0828 - PM-A970
0829 - PM-T990
082a - PM-A920
082b - Stylus CX4900, Stylus CX5000, Stylus DX5000
082e - PX-A720, Stylus CX5900, Stylus CX6000, Stylus DX6000
082f - PX-A620, Stylus CX3900, Stylus DX4000
0830 - ME 200, Stylus CX2800, Stylus CX2900
0833 P LP-M5600
0834 P LP-M6000
0835 Y AcuLaser CX21
0836 - PM-T960
0837 - PM-A940, Stylus Photo RX680, Stylus Photo RX685, Stylus Photo RX690
0838 - PX-A640, Stylus CX7300, Stylus CX7400, Stylus DX7400
0839 - PX-A740, Stylus CX8300, Stylus CX8400, Stylus DX8400
083a - PX-FA700, Stylus CX9300F, Stylus CX9400Fax, Stylus DX9400F
083c P PM-A840, PM-A840S, Stylus Photo RX585, Stylus Photo RX595, Stylus Photo RX610
0841 - ME 300, PX-401A, Stylus NX100, Stylus SX100, Stylus TX100
0843 P LP-M5000
0844 P Artisan 800, EP-901A, EP-901F, Stylus Photo PX800FW, Stylus Photo TX800FW
0846 Y Artisan 700, EP-801A, Stylus Photo PX700W, Stylus Photo TX700W
0847 P ME Office 700FW, PX-601F, Stylus Office BX600FW, Stylus Office TX600FW, Stylus SX600FW,
       WorkForce 600
0848 v ME Office 600F, Stylus Office BX300F, Stylus Office TX300F, Stylus NX300 Series
0849 - Stylus NX200, Stylus SX200, Stylus SX205, Stylus TX200, Stylus TX203, Stylus TX209
084a P PX-501A, Stylus NX400, Stylus SX400, Stylus SX405, Stylus TX400
084c - WorkForce 500
084d - PX-402A, Stylus NX110 Series, Stylus SX110 Series, Stylus TX110 Series
084f - ME Office 510, Stylus NX210 Series, Stylus SX210 Series, Stylus TX210 Series
0850 v EP-702A, Stylus Photo PX650 Series, Stylus Photo TX650 Series
0851 P Stylus NX410 Series, Stylus SX410 Series, Stylus TX410 Series
0852 v Artisan 710 Series, EP-802A, Stylus Photo PX710W Series, Stylus Photo TX710W Series
0853 v Artisan 810 Series, EP-902A, Stylus Photo PX810FW Series
0854 - ME Office 650FN Series, Stylus Office BX310FN Series, Stylus Office TX510FN Series,
       WorkForce 310 Series
0855 v PX-602F, Stylus Office BX610FW Series, Stylus Office TX610FW Series, Stylus SX610FW Series,
       WorkForce 610 Series
0856 - PX-502A, Stylus NX510 Series, Stylus SX510W Series, Stylus TX550W Series
085c - ME 320 Series, ME 330 Series, Stylus NX125, Stylus NX127, Stylus SX125, Stylus TX120 Series
085d v ME Office 960FWD Series, PX-603F, Stylus Office BX625FWD, Stylus Office TX620FWD Series,
       Stylus SX620FW Series, WorkForce 630 Series
085e v ME Office 900WD Series, PX-503A, Stylus Office BX525WD, Stylus NX625, Stylus SX525WD,
       Stylus TX560WD Series, WorkForce 625
085f v Stylus Office BX320FW Series, Stylus Office TX525FW, WorkForce 520 Series
0860 v Artisan 835, EP-903A, EP-903F, Stylus Photo PX820FWD Series, Stylus Photo TX820FWD Series
0861 v Artisan 725, EP-803A, EP-803AW, Stylus Photo PX720WD Series, Stylus Photo TX720WD Series
0862 v EP-703A, Stylus Photo PX660 Series
0863 v ME Office 620F Series, Stylus Office BX305F, Stylus Office BX305FW,
       Stylus Office TX320F Series, WorkForce 320 Series
0864 v ME Office 560W Series, Stylus NX420 Series, Stylus SX420W Series, Stylus TX420W Series
0865 - ME Office 520 Series, Stylus NX220 Series, Stylus SX218, Stylus TX220 Series
0866 P AcuLaser MX20DN, AcuLaser MX20DNF, AcuLaser MX21DNF
0869 v PX-1600F, WF-7510 Series
086a v PX-673F, Stylus Office BX925FWD, WorkForce 840 Series
0870 v Stylus Office BX305FW Plus, WorkForce 435
0871 v K200 Series
0872 v K300 Series, WorkForce K301
0873 - L200 Series
0878 v Artisan 635, EP-704A
0879 v Artisan 837, EP-904A, EP-904F, Stylus Photo PX830FWD Series
087b v Artisan 730 Series, EP-804A, EP-804AR, EP-804AW, Stylus Photo PX730WD Series,
       Stylus Photo TX730WD Series
087c v PX-1700F, WF-7520 Series
087d v PX-B750F, WP-4511, WP-4515, WP-4521, WP-4525, WP-4530 Series, WP-4540 Series
087e v WP-4590 Series
087f - PX-403A
0880 v ME Office 570W Series, PX-434A, Stylus NX330 Series, Stylus SX430W Series,
       Stylus TX430W Series
0881 - ME Office 535, PX-404A, Stylus SX230 Series, Stylus TX235
0883 - ME 340 Series, Stylus NX130 Series, Stylus SX130 Series, Stylus TX130 Series
0884 v Stylus NX430W Series, Stylus SX440W Series, Stylus TX435W
0885 v Stylus NX230 Series, Stylus SX235W, Stylus TX230W Series
088d - Epson ME 350
088f v Stylus Office BX635FWD, WorkForce 645
0890 v ME Office 940FW Series, Stylus Office BX630FW Series, WorkForce 545
0891 v PX-504A, Stylus Office BX535WD, Stylus NX530 Series, Stylus NX635, Stylus SX535WD
0892 v Stylus Office BX935FWD, WorkForce 845
0893 v EP-774A
0894 P LP-M5300 Series
0895 - PX-045A, XP-100 Series
0896 v ME-301, XP-200 Series
0897 - ME-303, PX-405A
0898 v ME-401, PX-435A, XP-300 Series, XP-400 Series
0899 v PX-605F, PX-675F, WF-3520 Series, WF-3530 Series, WF-3540 Series
089a v EP-905F, XP-850 Series
089b v EP-905A, XP-800 Series
089c v EP-805A, EP-805AR, EP-805AW, XP-750 Series
089d v XP-700 Series
089e v EP-775A, EP-775AW, XP-600 Series
089f v EP-705A
08a0 - ME-101
08a1 - L210 Series, L350, L351
08a5 v PX-505F, WF-2510 Series
08a6 v PX-535F, WF-2520 Series, WF-2530 Series, WF-2540 Series
08a7 - WP-M4525, WP-M4521, PX-K751F, WP-M4595
08a8 v L355, L358
08a9 v L550 Series
08aa v M200 Series
08ab v WF-M1560 Series
08ac v AL-MX300DN Series, AL-MX300DNF Series
08ad P LP-M8040, LP-M8040A, LP-M8040F
08ae v PX-046A, XP-211, XP-212, XP-215
08af v PX-436A, XP-310 Series
08b0 v XP-410 Series
08b3 v EP-976A3, XP-950 Series
08b4 v EP-906F, XP-810 Series
08b5 v EP-806AB, EP-806AR, EP-806AW, XP-710 Series
08b6 v EP-776AB, EP-776AW, XP-610 Series
08b7 v EP-706A, XP-510 Series
08b8 v PX-M740F, PX-M741F, WF-3620 Series, WF-3640 Series
08b9 v PX-M5040F, PX-M5041F, WF-7610 Series, WF-7620 Series
08bd v PX-M840F, WF-5620 Series, WF-5690 Series
08be v WF-4630 Series, WF-4640 Series
08bf v PX-437A, XP-320 Series
08c0 v PX-047A, XP-225
08c1 v XP-420 Series
08c3 v PX-M650A, PX-M650F, WF-2650 Series, WF-2660 Series
08c4 v WF-2630 Series
08c5 v EP-977A3
08c6 v EP-907F, XP-820 Series, XP-860 Series
08c7 v EP-807AB, EP-807AR, EP-807AW, XP-720 Series, XP-760 Series
08c8 v EP-777A, XP-520 Series, XP-620 Series
08c9 v EP-707A
08ca - L850 Series
08cd v WF-R4640 Series, WF-R5690 Series
08d0 v PX-M350F, WF-M5690 Series
08d1 - L360 Series
08d2 - L365 Series, L366 Series
1102 - PX-048A Series, XP-230 Series, XP-235 Series
1105 - ET-2500 Series, L375 Series
110f - PX-M160T Series
1116 v PX-049A Series, XP-240 243 245 247 Series, XP-427
1120 - L380
1121 - ET-2650, L495
1122 - ET-2600 Series, ET-2610 Series, L395 Series, L396 Series, L3050 Series, L3060 Series
113d - XP-255
113e - XP-452 455 Series
1141 - L3100 Series
1142 - L3110 Series
1188 - L3210 Series
1189 - L3200 Series
"""

# The bytes d1 to d9 of ESC m for the built-in profile; names as the scanners give them.
MATRICES = """
298292842502858330 GT-10000, ES-6000
23828c82240081822c Perfection610, GT-6600
21848d82260101822c Perfection1200, GT-7600
268489852600818229 Expression1600, ES-2000
26818c84230182822b Expression1640XL, ES-8500
238189832300008229 Perfection640, GT-6700
25858a83270082822a Perfection1640, GT-8700
25828b84240081822b Perfection1240, GT-7700
230193842303018430 GT-30000, ES-9000H
28848a872601818229 Expression1680, ES-2200
1f828d81220102002c GT-7200
23828b83230100812a GT-8200, GT-8300
24828c83230181812b GT-9700, GT-9300
1f008c00210001812c GT-7300
248190832100810030 GT-9800
240085832100818125 ES-7000H
248186832282818128 LP-A500, AL-CX11, AL-CX21
248292832300818132 GT-9400
20008e00210100812d CC-600PX
25828f84240081822f PM-A850, RX500, PM-A870
22819083230101822f CX5400
2b8292862301858131 GT-X700
26058b001f0086842b PX-A650, CX6600
258390832400828130 ES-10000G, Expression10000
25038a011f0086822a CX4600, CX3600, CX3800, CX4000, CX3000v, CX4400
23038a001f0083822a RX420, PM-A700, CX4800, CX4200, CX6000, CX5000
258295832200820035 GT-F500
298293852201840032 GT-F600
268394832381830035 PM-A900
27838d83248284812f GT-X800
26828e832382838130 GT-X750
278289862300818129 LP-M5500, LP-M5600
25838f832381820030 GT-F520
240489001f00848329 CX7800, PM-A750
25828c83238182812d PM-A950
248291832281810032 PM-A890, PM-A920
26828d83238283812f GT-X900
23008a82218281812c ES-H300
220386001e00828126 PM-A820
25838e832382820030 PM-A970, PM-T990
258291832382828133 GT-S600
258291832300828131 GT-F700
24848f822681828230 GT-F670
298788862800838128 GT-X770
23008a002301838329 CX7400, CX8400, NX200, NX400, PID 0851
238184012400848324 CX9400Fax, NX300, WorkForce 500, PID 084D
23838d82258181822e PM-T960
230089002301838328 PM-A940, NX100
220184002200828324 PM-A840, PID 0850
28848986268182822a GT-D1000
25848a83268182822b GT-X970
228189822300008229 LP-M5000, LP-M6000
228189822400008329 ES-H7200, GT-20000
230387012101848426 WorkForce 600, PID 0856, PID 0855
240085012300858325 Artisan 800, Artisan 700, PID 0852, PID 0853
26868b85288181822c GT-F720, GT-S620
230085012300848325 PID 084F, PID 0854
298788862881838129 GT-X820
"""

# The ESC commands of each level, and the control bytes FF (\f) and EM (\x19). FS I and FS F
# ("FS") belong to some levels, FS W, S, G to every scanner that says it has them.
_B2 = "IFSCGDRHALZB@"
_B4 = _B2 + "MmfegdzQb"
_B7 = _B4 + "K\f!sNt"
_D1 = "IiFCGDRAZ@gdzf!t"
LEVELS = {
    "A1": "IFSGRA",
    "A2": "IFSGDRHALZB@",
    "B1": "IFSCGDRAB@",
    "B2": _B2,
    "B3": _B2 + "Mmfe",
    "B4": _B4,
    "B5": _B4 + "K",
    "B6": _B4 + "K",
    "B7": _B7,
    "B8": _B7 + "\x19pq",
    "F5": "IFSCGDRHALZM@gdKzQmfe\fNTP",
    "D1": _D1,
    "D2": _D1 + "eN",
    "D7": _D1 + "eN\f",
    "D8": _D1 + "eN\f",
}
UNKNOWN_LEVEL = "B3"
NETWORK_LEVEL = "B7"  # assumed until the scanner has said what it is
IDENTITY_LEVELS = ("B7", "B8")  # FS I
DARKEST = {"B7": -4, "B8": -4}  # ESC L goes from here to 3; -3 where nothing is said

# Quirks: how the model's name begins, the quirk, as capabilities.py and plan.py know it.
QUIRKS = (
    ("ES-9000H", "feed"),  # EM although the level lacks it
    ("ES-9000H", "no-focus"),
    ("ES-9000H", "large-feeder"),  # ESC f tells the feeder's size wrong
    ("GT-30000", "feed"),
    ("GT-30000", "no-focus"),
    ("GT-30000", "large-feeder"),
    ("GT-8200", "no-feed"),
    ("GT-8200", "no-focus"),
    ("GT-8200", "reset-source"),  # wants ESC @ when the source changes
    ("GT-8200", "block-status"),  # only the two highest bits of a block's status mean anything
    ("GT-8200", "landscape"),  # a bed wider than high is twice as high as it says
    ("Perfection1650", "no-feed"),
    ("Perfection1650", "no-focus"),
    ("Perfection1650", "reset-source"),
    ("Perfection1650", "block-status"),
    ("Perfection1650", "landscape"),
    ("Perfection1640", "no-feed"),
    ("Perfection1640", "no-focus"),
    ("Perfection1640", "reset-source"),
    ("GT-8700", "no-feed"),
    ("GT-8700", "no-focus"),
    ("GT-8700", "reset-source"),
    ("DS-G20000", "bright"),  # brightness from -3 only
    ("GT-X800", "second-tpu"),  # FS I tells of a second transparency unit
    ("GT-X900", "second-tpu"),
    ("GT-X980", "second-tpu"),
    ("GT-X800", "many-lines"),  # 21 lines where fewer than 3 would fit into a block
    ("GT-X900", "many-lines"),
    ("GT-X980", "many-lines"),
    ("GT-X700", "zoom"),  # resolutions up to 12800 dpi
    ("GT-X800", "zoom"),
    ("LP-A500", "large-blocks"),  # 64 KiB over the network
)


def rows(table: str) -> list[str]:
    """Return the rows of a table, continuation lines joined."""
    lines = table.replace("\n  ", " ").split("\n")[1:-1]
    return [" ".join(line.split()) for line in lines]


def usb_ids() -> tuple[tuple[int, int, str, str], ...]:
    """Return vendor id, product id, vendor and the first model name of every USB scanner."""
    return tuple(
        (VENDOR, int(row[:4], 16), VENDOR_NAME, row[7:].partition(",")[0]) for row in rows(USB)
    )


def matrix(name: str) -> bytes:
    """Return the bytes of ESC m for the model *name*: the built-in profile, else identity."""
    for row in rows(MATRICES):
        data, _, names = row.partition(" ")
        if name in names.split(", "):
            return bytes.fromhex(data)
    return bytes.fromhex("200000002000000020")


def quirks(name: str) -> set[str]:
    """Return what is odd about the model *name*."""
    return {quirk for prefix, quirk in QUIRKS if name.startswith(prefix)}
