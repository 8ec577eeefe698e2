"""Canon scanners that the driver knows: product ids, names, sizes, abilities. Data, little code.

A row says what a scanner cannot tell itself; nothing of it is asked over the wire. What differs
between single models in one step of a scan stands in the module of their family.
Source: specification pixma 5.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

VENDOR, VENDOR_NAME = 0x04A9, "CANON"
BASE_DPI = 75  # of the sizes here
MP150, MP750, MP730, MP800, IMAGECLASS = "mp150", "mp750", "mp730", "mp800", "imageclass"
SHORT_NAMES = {"M:": "Canon MAXIFY ", "X:": "Canon PIXUS "}  # what a key begins with
WHOLE_NAMES = {"LIDE300": "CanoScan LiDE 300", "LIDE400": "CanoScan LiDE 400"}

# Words of the rows below: A a feeder, D one for both sides, J it delivers JPEG, j everything is
# JPEG; T a unit for film, I infrared, 48 modes of 16 bits on the glass, L line art; 4 gamma tables
# of 4096 bytes; p colour comes in planes, b long image blocks, k the checksum one byte early.
# feeder=, film=, infrared=: the highest resolution there; sheets=: the lowest one of feeder and
# film; words=: the lowest one of the modes of 16 bits; scan=: no lower one is scanned.

# Family mp150: generation, highest resolution, height at 75 dpi, words, and product ids with keys.
# A "+" stands for " Series" in the name. All have a CIS sensor of 638 pixels at 75 dpi.
MP150_WIDTH, MP150_WORDS = 638, "G L"
MP150_ROWS: tuple[tuple[int, int, int, str, str], ...] = (
    (1, 600, 877, "", "1107 TS2600+, 1108 TS2400+"),
    (1, 1200, 877, "4", "1709 MP150, 170A MP170, 170B MP450, 170C MP500"),
    (1, 1200, 877, "A 4", "1712 MP530"),
    (2, 600, 877, "", "1714 MP160, 172B MP140"),
    (2, 1200, 877, "", "1715 MP180, 1716 MP460, 1717 MP510"),
    (2, 2400, 877, "", "1718 MP600, 1719 MP600R"),
    (3, 600, 877, "", "1721 MP210, 1727 MX300, 1734 MP190"),
    (3, 1200, 877, "", "1722 MP220, 1732 MP240, 1733 MP260"),
    (3, 1200, 1050, "A", "1728 MX310, 1737 MX330"),
    (3, 1200, 1050, "A feeder=600", "1736 MX320"),
    (3, 2400, 877, "", "1723 MP470, 1724 MP520, 172F MP620, 1730 MP540, 1731 MP480"),
    (3, 2400, 1050, "A", "1729 MX700"),
    (3, 2400, 1050, "D", "172C MX850, 1735 MX860"),
    (3, 4800, 877, "", "1725 MP610, 172E MP630"),
    (3, 4800, 1050, "D", "171C MX7600"),
    (4, 600, 877, "", "173A MP250, 1746 MP280, 1747 MP495"),
    (4, 1200, 877, "", "173B MP270, 173C MP490, 1748 MG5100"),
    (4, 1200, 1050, "A", "1741 MX340, 1742 MX350, 174D MX360, 174E MX410, 174F MX420"),
    (4, 2400, 877, "", "173D MP550, 173E MP560, 1749 MG5200, 174A MG6100"),
    (4, 2400, 1050, "D", "1743 MX870, 1750 MX880+"),
    (4, 4800, 877, "", "173F MP640"),
    (
        *(5, 600, 877, ""),
        "175F MP230, 176C MG2400+, 176D MG2500+, 177A E400, 1780 MG2900+, 1788 E460+, "
        "1794 G3000, 1795 G2000, 180B MG3000+, 180C E470+, 181D G4000, 181E E410+, "
        "1827 TS3100+, 1828 E3100+, 183A G2010+, 183B G3010+, 1865 G6000+, "
        "1866 G6080+, 18A2 TS3300+, 18A3 E3300+, 18B7 TS3400+, 18BD G2020, 18BF G3020, "
        "18C1 G2060, 18C3 G3060, 18D4 TS3500+, 18D5 G600, 18DB E4500+",
    ),
    (5, 600, 877, "A", "183D G4010+, 1855 E4200+, 18B8 E3400+"),
    (5, 600, 877, "A J", "1854 TR4500+, 18DA TR4600+, 18DC TR4700+"),
    (5, 600, 1050, "A", "1789 E480+"),
    (5, 600, 1050, "A J", "1787 MX490+"),
    (
        *(5, 1200, 877, ""),
        "1751 MG2100, 1752 MG3100, 1753 MG4100, 1757 MP493, 1758 E500, 1760 MG2200+, "
        "1761 E510, 1762 MG3200+, 1763 MG4200, 176E MG3500+, 1770 MG6400+, "
        "1771 MG5500+, 177B E560, 177E MG6600+, 177F MG5600+, 178A MG3600+, "
        "178C MG6900+, 178D MG6800+, 178E MG5700+, 1801 TS6000+, 1802 TS5000+, "
        "1822 TS6100+, 1825 TS5100+, 1840 TS6180+, 1843 TS6130+, 1846 X:XK50+, "
        "1847 X:XK70+, 1856 TS6200+, 1857 TS6280+, 1858 TS6230+, 1859 TS8200+, "
        "185A TS8280+, 185B TS8230+, 1864 G7080+, 1873 X:XK80+, 188B TS5300+, "
        "188C TS5380+, 188D TS6300+, 188E TS6380+, 188F TS7330+, 1891 TS8380+, "
        "1892 TS8330+, 1893 XK60+, 1894 TS6330+, 18B2 TS7430+, 18B5 TS8430+, "
        "18B6 X:XK90+, 18D3 TS6400+, 18D7 TS7400+, 18D8 TS5400+, 18D9 TS5350i+, "
        "18DF X:XK500+, 18E0 TS8530+, 18E1 TS7530+, 18E2 X:XK100+, 18F7 TS7450i+",
    ),
    (
        *(5, 1200, 877, "A"),
        "1824 TR7500+, 1845 TR7530+, 185D TS9580+, 185E TR9530+, 1863 G7000+, "
        "1869 GM4000+, 186A GM4080, 18A6 GX6000+, 18A8 GX7000+, 18AA TR7600+, "
        "18AD TR8600+, 18AF TR8630+, 18B9 TR7000+",
    ),
    (5, 1200, 877, "A feeder=600", "185C TS9500+"),
    (5, 1200, 877, "A J", "1823 TR8500+"),
    (
        *(5, 1200, 1050, "A"),
        "1759 MX370+, 175A E600+, 175B MX430+, 175C MX510+, 1766 MX390+, 1767 E610, "
        "1768 MX450+, 1769 MX520+, 1774 MX470+, 1775 MX530+",
    ),
    (5, 1200, 1050, "A J", "1776 M:MB5000+, 1779 M:MB2300+, 1792 M:MB2700+, 1793 M:MB2100+"),
    (5, 1200, 1050, "D", "1777 M:MB5300+"),
    (5, 1200, 1050, "D J", "1778 M:MB2000+, 178F M:MB5400+, 1790 M:MB5100+"),
    (
        *(5, 2400, 877, ""),
        "1754 MG5300, 1764 MG5400+, 1765 MG6300+, 176F MG6500+, 1772 MG7100+, "
        "177C MG7500+, 178B MG7700+, 179F TS9000+, 1800 TS8000+, 1820 TS9100+, "
        "1821 TS8100+, 183E TS9180+, 183F TS8180+, 1842 TS8130+",
    ),
    (5, 2400, 877, "scan=300", "1913 LIDE300"),
    (5, 2400, 877, "A", "1841 TR8580+, 1844 TR8530+"),
    (5, 2400, 1050, "D", "175D MX710+, 175E MX890+, 176A MX720+"),
    (5, 2400, 1050, "D feeder=600", "176B MX920+"),
    (5, 4800, 877, "", "1755 MG6200"),
    (5, 4800, 877, "48 scan=300", "1912 LIDE400"),
)

# Family mp800 (CCD, 638 x 877): product id, key, name, generation, highest resolution, words.
MP800_SIZE, MP800_WORDS = (638, 877), "G L"
MP800_ROWS: tuple[tuple[int, str, str, int, int, str], ...] = (
    (0x170D, "MP800", "Canon PIXMA MP800", 1, 2400, "T 4 sheets=150"),
    (0x170E, "MP800R", "Canon PIXMA MP800R", 1, 2400, "T 4 sheets=150"),
    (0x1713, "MP830", "Canon PIXMA MP830", 1, 2400, "D 4 sheets=150"),
    (0x171A, "MP810", "Canon PIXMA MP810", 2, 4800, "T sheets=300"),
    (0x171B, "MP960", "Canon PIXMA MP960", 2, 4800, "T sheets=300"),
    (0x1726, "MP970", "Canon Pixma MP970", 3, 4800, "T sheets=300"),
    (0x1901, "8800F", "Canoscan 8800F", 3, 4800, "T 48 sheets=300 words=150"),
    (0x172D, "MP980", "Canon MP980 series", 3, 4800, "T sheets=300"),
    (0x1740, "MP990", "Canon MP990 series", 4, 4800, "T sheets=300"),
    (
        *(0x1908, "9000F", "Canoscan 9000F", 4, 4800),
        "T I 48 sheets=300 film=9600 infrared=2400 words=150",
    ),
    (0x174B, "MG8100", "Canon PIXMA MG8100", 4, 4800, "T sheets=300"),
    (0x1756, "MG8200", "Canon PIXMA MG8200", 4, 4800, "T sheets=300"),
    (
        *(0x190D, "9000FMarkII", "Canoscan 9000F Mark II", 4, 4800),
        "T I 48 sheets=300 film=9600 infrared=2400 words=150",
    ),
)

# Families mp750 and mp730: product id, key, name, highest resolution, width, height, words.
MP750_ROWS: tuple[tuple[int, str, str, int, int, int, str], ...] = (
    (0x1706, "MP750", "Canon PIXMA MP750", 2400, 637, 877, "A"),
    (0x1708, "MP760/770", "Canon PIXMA MP760/770", 2400, 637, 877, "T"),
    (0x1707, "MP780/790", "Canon PIXMA MP780/790", 2400, 637, 877, "A"),
)
MP730_ROWS: tuple[tuple[int, str, str, int, int, int, str], ...] = (
    (0x2635, "MP5", "PIXUS MP5/SmartBase MPC190/imageCLASS MPC190", 600, 636, 868, "L"),
    (0x261F, "MP10", "PIXUS MP10/SmartBase MPC200/imageCLASS MPC200", 600, 636, 868, "L"),
    (0x263C, "MP360", "PIXMA MP360", 1200, 636, 868, "L"),
    (0x263D, "MP370", "PIXMA MP370", 1200, 636, 868, "L"),
    (0x263F, "MP375R", "PIXMA MP375R", 1200, 636, 868, "L"),
    (0x263E, "MP390", "PIXMA MP390", 1200, 636, 868, "L"),
    (0x2630, "MP700", "PIXMA MP700", 1200, 638, 877, "L"),
    (0x264D, "MP710", "PIXMA MP710", 1200, 637, 868, "L"),
    (0x262F, "MP730", "PIXMA MP730", 1200, 637, 868, "A L"),
    (0x264C, "MP740", "PIXMA MP740", 1200, 637, 868, "A L"),
    (0x264E, "MF5630", "Canon imageCLASS MF5630", 1200, 636, 868, "A"),
    (0x264F, "MF5650", "Canon laserBase MF5650", 1200, 636, 868, "A"),
    (0x265D, "MF5730", "Canon imageCLASS MF5730", 1200, 636, 868, "A"),
    (0x265E, "MF5750", "Canon imageCLASS MF5750", 1200, 636, 868, "A"),
    (0x265F, "MF5770", "Canon imageCLASS MF5770", 1200, 636, 868, "A"),
    (0x2660, "MF3110", "Canon imageCLASS MF3110", 600, 636, 868, ""),
    (0x26E6, "iR1020", "Canon iR 1020/1024/1025", 600, 636, 868, "D"),
)

# Family imageclass (600 dpi): product id, key, name, generation, width, height, words. Where an id
# stands twice, the units tell their keys on the network, and on the bus the first row counts.
IMAGECLASS_DPI, IMAGECLASS_WORDS = 600, "L"
IMAGECLASS_ROWS: tuple[tuple[int, str, str, int, int, int, str], ...] = (
    (0x26B5, "MF4270", "Canon imageCLASS MF4270", 1, 640, 877, "A p k"),
    (0x26A3, "MF4100", "Canon imageCLASS MF4150", 1, 640, 877, "A p k"),
    (0x26B0, "MF4690", "Canon imageCLASS MF4690", 1, 640, 877, "A b k"),
    (0x26EF, "D420", "Canon imageCLASS D420", 1, 640, 877, "D p k"),
    (0x26ED, "D480", "Canon imageCLASS D480", 1, 640, 877, "D p k"),
    (0x26EC, "MF4360", "Canon imageCLASS MF4360", 1, 640, 877, "D p k"),
    (0x26EE, "MF4320", "Canon imageCLASS MF4320", 1, 640, 877, "A p"),
    (0x26B4, "MF4010", "Canon imageCLASS MF4010", 1, 640, 877, "p"),
    (0x2684, "MF3240", "Canon imageCLASS MF3240", 1, 640, 877, "p"),
    (0x2686, "MF6500", "Canon imageClass MF6500", 1, 640, 877, "A b k"),
    (0x2737, "MF4410", "Canon imageCLASS MF4410", 2, 640, 877, "A b"),
    (0x2738, "D550", "Canon imageCLASS D550", 2, 640, 1050, "A b"),
    (0x2736, "MF4500", "Canon i-SENSYS MF4500 Series", 2, 640, 877, "A b"),
    (0x2759, "MF3010", "Canon i-SENSYS MF3010", 2, 640, 877, "b"),
    (0x2774, "MF4700", "Canon i-SENSYS MF4700 Series", 2, 640, 1050, "A b"),
    (0x2773, "MF4800", "Canon i-SENSYS MF4800 Series", 2, 640, 1050, "A b"),
    (0x275A, "MF4570dw", "Canon imageCLASS MF4570dw", 2, 640, 877, "b"),
    (0x2779, "MF8200C", "Canon i-SENSYS MF8200C Series", 2, 640, 1050, "A feeder=300 b"),
    (0x2708, "MF8300", "Canon i-SENSYS MF8300 Series", 2, 640, 1050, "A b k"),
    (0x2775, "D530", "Canon imageCLASS D530", 2, 640, 877, "b"),
    (0x269D, "iR1018/1022/1023", "Canon imageRUNNER 1018/1022/1023", 1, 640, 877, "D b k"),
    (0x2659, "MF8170c", "Canon imageCLASS MF8170c", 1, 640, 877, "A p"),
    (0x2707, "MF8030", "Canon imageClass MF8030", 2, 640, 877, "A b"),
    (0x26F9, "MF5880", "Canon i-SENSYS MF5880dn", 1, 640, 877, "D p"),
    (0x26FA, "MF6680", "Canon i-SENSYS MF6680dn", 1, 640, 877, "D p"),
    (0x2742, "iR1133", "Canon imageRUNNER 1133", 2, 637, 877, "D b"),
    (0x2742, "imageRUNNER1133", "Canon imageRUNNER 1133A", 2, 637, 877, "D b"),
    (0x2743, "MF5900", "Canon i-SENSYS MF5900 Series", 2, 640, 1050, "D b"),
    (0x277A, "MF8500C", "Canon i-SENSYS MF8500C Series", 2, 640, 1050, "D b"),
    (0x278E, "MF6100", "Canon i-SENSYS MF6100 Series", 2, 640, 1050, "D feeder=300 b"),
    (0x27A6, "MF810/820", "Canon imageClass MF810/820", 2, 640, 1050, "D b"),
    (0x27A8, "MF220", "Canon i-SENSYS MF220 Series", 2, 637, 1050, "D b"),
    (0x27A9, "MF210", "Canon i-SENSYS MF210 Series", 2, 637, 1050, "A b"),
    (0x27B4, "MF620", "Canon i-SENSYS MF620 Series", 2, 637, 1050, "A b"),
    (0x27B5, "MF720", "Canon i-SENSYS MF720 Series", 2, 637, 877, "D feeder=300 b"),
    (0x27C0, "MF410", "Canon i-SENSYS MF410 Series", 2, 637, 1050, "D b"),
    (0x27C2, "MF510", "Canon i-SENSYS MF510 Series", 2, 640, 1050, "D b"),
    (0x27D1, "MF230", "Canon i-SENSYS MF230 Series", 2, 637, 1050, "A b"),
    (0x27D2, "MF240", "Canon i-SENSYS MF240 Series", 2, 634, 1050, "A feeder=300 b"),
    (0x27E1, "MF630", "Canon i-SENSYS MF630 Series", 2, 637, 1050, "D b"),
    (0x27E4, "MF730", "Canon i-SENSYS MF730 Series", 2, 637, 1050, "D b"),
    (0x27E5, "MF731", "Canon i-SENSYS MF731C", 2, 637, 1050, "D b"),
    (0x27E1, "MF633C/635C", "Canon i-SENSYS MF633C/MF635C", 2, 637, 877, "D b"),
    (0x27E2, "MF632C/634C", "Canon imageCLASS MF634C", 2, 637, 1050, "D b"),
    (0x27E5, "MF731C/733C", "Canon imageCLASS MF733C", 2, 637, 1050, "D b"),
    (0x27E8, "D570", "Canon imageCLASS D570", 2, 640, 877, "b"),
    (0x27ED, "MF110", "Canon i-SENSYS MF110/910 Series", 2, 640, 1050, "b"),
    (0x27F0, "MF520", "Canon i-SENSYS MF520 Series", 2, 640, 1050, "D b"),
    (0x27F1, "MF420", "Canon i-SENSYS MF420 Series", 2, 640, 1050, "D b"),
    (0x27F4, "MF260", "Canon i-SENSYS MF260 Series", 2, 640, 1050, "D j b"),
    (0x27FB, "MF740", "Canon i-SENSYS MF740 Series", 2, 640, 1050, "D b"),
    (0x27FC, "MF741C/743C", "Canon i-SENSYS MF741C/743C", 2, 640, 1050, "D feeder=300 b"),
    (0x27FE, "MF642C/643C/644C", "Canon i-SENSYS MF640 Series", 2, 640, 1050, "D b"),
    (0x27FD, "MF645C", "Canon i-SENSYS MF645C", 2, 637, 877, "D b"),
    (0x2823, "MF440", "Canon i-SENSYS MF440 Series", 2, 637, 877, "D feeder=300 b"),
)


class Model:
    """One row: *product* id, *key* in names, *name* to show, *family*, *generation*.

    width, height: of the glass, in pixels at 75 dpi. dpi: the highest resolution. words: as above.
    """

    __slots__ = (
        *("dpi", "family", "generation", "height", "key", "limits", "name", "product"),
        *("width", "words"),
    )

    def __init__(  # noqa: PLR0917 - the columns of the table
        self,
        ids: tuple[int, str, str],
        family: str,
        generation: int,
        dpi: int,
        size: tuple[int, int],
        words: str,
    ) -> None:
        self.product, self.key, self.name = ids
        self.family, self.generation, self.dpi = family, generation, dpi
        self.width, self.height = size
        limits = [word.partition("=") for word in words.split()]
        self.words = frozenset(word for word, mark, _ in limits if not mark)
        self.limits = {word: int(number) for word, mark, number in limits if mark}

    def has(self, word: str) -> bool:
        """Tell whether it can do what *word* stands for."""
        return word in self.words

    @property
    def has_feeder(self) -> bool:
        """Sheets can be fed."""
        return self.has("A") or self.has("D")

    def limit(self, word: str, otherwise: int) -> int:
        """Return one of the resolutions that only some rows have."""
        return self.limits.get(word, otherwise)

    def __repr__(self) -> str:
        return f"<Model {self.key} {self.product:04x} {self.family} {self.generation}>"


def _mp150() -> Iterator[Model]:
    for generation, dpi, height, words, ids in MP150_ROWS:
        for item in ids.split(", "):
            product, key = item.split(" ")
            maker = SHORT_NAMES.get(key[:2], "Canon PIXMA ")
            key = key[2:] if key[:2] in SHORT_NAMES else key
            series = " Series" if key.endswith("+") else ""
            key = key.rstrip("+")
            name = WHOLE_NAMES.get(key, f"{maker}{key}{series}")
            form = dpi, (MP150_WIDTH, height), f"{MP150_WORDS} {words}"
            yield Model((int(product, 16), key, name), MP150, generation, *form)


def _models() -> Iterator[Model]:
    yield from _mp150()
    for family, rows in ((MP750, MP750_ROWS), (MP730, MP730_ROWS)):
        for product, key, name, dpi, width, height, words in rows:
            yield Model((product, key, name), family, 1, dpi, (width, height), words)
    for product, key, name, generation, dpi, words in MP800_ROWS:
        form = dpi, MP800_SIZE, f"{MP800_WORDS} {words}"
        yield Model((product, key, name), MP800, generation, *form)
    for product, key, name, generation, width, height, words in IMAGECLASS_ROWS:
        size = IMAGECLASS_DPI, (width, height), f"{IMAGECLASS_WORDS} {words}"
        yield Model((product, key, name), IMAGECLASS, generation, *size)


# In the order in which the network looks a name up.
MODELS: tuple[Model, ...] = tuple(_models())
BY_PRODUCT: dict[int, Model] = {model.product: model for model in reversed(MODELS)}


def model_called(text: str) -> Model | None:
    """Return the row for what a unit on the network calls itself (MDL), None without one.

    The key begins a word of it and is followed by its end, a space or "-": without the first,
    "MG3000 series" would be a G3000.
    """
    lower = text.lower()
    for model in MODELS:
        key = model.key.lower()
        at = lower.find(key)
        while at >= 0:
            before, after = lower[at - 1 : at], lower[at + len(key) : at + len(key) + 1]
            if not before.isalnum() and after in ("", " ", "-"):
                return model
            at = lower.find(key, at + 1)
    return None
