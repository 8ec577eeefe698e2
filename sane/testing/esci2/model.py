"""What an emulated ESC/I-2 scanner is: flatbed, feeder, what it offers; and how it says so.

Source: specification esci 4.2 (tokens), 4.3 (INFO) and 4.4 (CAPA).
"""

from __future__ import annotations

from dataclasses import dataclass, field

END = b"#---"


@dataclass
class Bed:
    """A flatbed or feeder: lengths in 1/100 inch; alignment LEFT, CNTR or RIGT."""

    width: int = 850
    height: int = 1170
    alignment: str = "LEFT"
    features: tuple[str, ...] = ()  # of a feeder, as in CAPA: DPLX SKEW CRP LOAD EJCT DFL1


@dataclass
class Model:
    """What a scanner says about itself in INFO and CAPA."""

    name: str = "DS-EMU"
    flatbed: Bed | None = field(default_factory=Bed)
    feeder: Bed | None = None
    formats: tuple[str, ...] = ("RAW", "JPG")
    colors: tuple[str, ...] = ("M001", "M008", "C024")
    resolutions: tuple[int, ...] | range = range(50, 1201)
    serial: str = "EMU0000001"
    version: str = "1.00"
    short_area: bool = False  # areas as dDDDiDDDDDDD: some real units do so
    extra: str = ""  # further tokens of INFO

    def info(self) -> bytes:
        """Return the data of INFO."""
        text = "".join(
            f"#{code}h{len(value):03X}{value}"
            for code, value in (("PRD", self.name), ("VER", self.version), ("S/N", self.serial))
        )
        for name, bed in (("FB ", self.flatbed), ("ADF", self.feeder)):
            if bed is not None:
                width = f"d{bed.width:03d}" if self.short_area else f"i{bed.width:07d}"
                text += f"#{name}AREA{width}i{bed.height:07d}#{name}ALGN{bed.alignment}"
                text += f"#{name}RESOi{self.highest:07d}"
        if self.feeder is not None:
            text += "#ADFTYPEPAGE#ADFFORDPF1N"
            text += "#ADFDPLX1SCN" if "DPLX" in self.feeder.features else ""
        return (text + self.extra).encode("latin-1") + END

    def capabilities(self) -> bytes:
        """Return the data of CAPA."""
        text = "#FB " if self.flatbed else ""
        if self.feeder is not None:
            text += "#ADF" + "".join(f"#ADF{name:4}" for name in self.feeder.features)
        text += "#COLLIST" + "".join(self.colors)
        text += "#FMTLIST" + "".join(f"{name:4}" for name in self.formats)
        text += "#JPGRANGd001d100#GMMLISTUG10UG18"
        if isinstance(self.resolutions, range):
            low, high = self.resolutions[0], self.resolutions[-1]
            text += f"#RSMRANGi{low:07d}i{high:07d}#RSSRANGi{low:07d}i{high:07d}"
        else:
            values = "".join(number(value) for value in self.resolutions)
            text += f"#RSMLIST{values}#RSSLIST{values}"
        text += "#BSZRANGi0065536i1048576"
        return text.encode() + END

    @property
    def highest(self) -> int:
        """The highest resolution."""
        return max(self.resolutions)


def number(value: int) -> str:
    """Return *value* as the shorter of the two decimal forms."""
    return f"d{value:03d}" if value <= 999 else f"i{value:07d}"
