"""The options of `pysane scan`: what they are called, their types, and what help says.

It knows words; profiles and completion use the same table. Source: specification 12.3.
"""

from __future__ import annotations

import argparse
import re

from . import words
from .progress import KINDS
from .words import Group, Parser, add_talk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FORMATS = ("pdf", "png", "jpeg", "tiff", "pnm", "webp")
MODES = ("color", "gray", "lineart")
SOURCES = ("flatbed", "feeder", "duplex", "auto")
ROTATIONS = ("auto", "90", "180", "270")
COLLATIONS = ("interleave", "reverse-backs", "deinterleave")
MARGIN = r"auto|(\d+(\.\d*)?|\.\d+)(mm|cm|in)?"
OPTIONAL = {"--crop": MARGIN, "--skip-blank": "", "--ocr": ""}
ELSEWHERE = {  # options of scanimage and its kin, with ours; a driver's are NAME=VALUE here
    "--resolution": "--dpi",
    "--device-name": "--device",
    "--output-file": "--output",
    "--batch": "--output",
    "--batch-count": "--pages",
    "--batch-prompt": "--prompt",
    "--paper-size": "--page-size",
    "--duplex": "--source",
    "--overwrite": "--force",
    "--language": "--ocr",
    "--dont-scan": "--dry-run",
}
EPILOG = """
Operands: a device, which may be part of its name, and NAME=VALUE for options of the driver.

examples:
  pysane scan                                      the first scanner, into a PDF named by the time
  pysane scan -o letter.pdf --source duplex -r 300 --skip-blank --ocr=eng
  pysane scan 'GT-S50' -o '{date}-{n:03}.png' -m gray brightness=10
"""


def parser(prog: str = "pysane scan") -> Parser:
    """Return the parser of `pysane scan`."""
    made = Parser(
        prog,
        "Scan pages into a file.",
        operands="[DEVICE] [NAME=VALUE ...]",
        optional=OPTIONAL,
        elsewhere=ELSEWHERE,
        hint="options of the driver go without dashes, as NAME=VALUE",
        epilog=EPILOG,
    )
    _add_device(made)
    _add_what(made)
    _add_how_many(made)
    _add_page_work(made)
    _add_output(made)
    _add_talking(made)
    return made


def add_choice(parser: Parser | Group) -> None:
    """Add the options that say which device."""
    what = "the scanner: its name, or a part of what it is"
    parser.add("-d", "--device", metavar="TEXT", help=what)
    parser.add("--timeout", type=words.seconds, metavar="S", help="give up after S seconds")


def _add_device(parser: Parser) -> None:
    group = parser.group("device")
    add_choice(group)
    group.add("--config", metavar="FILE", help="one more configuration file; . is ./.pysane.toml")
    group.add("-p", "--profile", metavar="NAME", help="settings from the configuration")
    group.add("--no-profile", action="store_true", help="no profile, whatever is set")
    group.add(
        *("-s", "--set"),
        action="append",
        type=words.setting,
        metavar="NAME=VALUE",
        help="set an option of the driver; pysane info lists them",
    )


def _add_what(parser: Parser) -> None:
    group = parser.group("what to scan")
    group.add("-m", "--mode", type=_one_of(MODES), metavar="MODE", help=" ".join(MODES))
    group.add(*("-r", "--dpi"), type=words.dpi, metavar="N", help="dots per inch, or max or min")
    group.add(
        "--source", metavar="SOURCE", help=f"{' '.join(SOURCES)}, or the driver's name for it"
    )
    size = "a4, letter, 210x297mm, max, or auto: cropped to the paper"
    group.add("--page-size", type=words.page_size, metavar="SIZE", help=size)
    group.add(
        "--area", type=words.area, metavar="L,T,W,H", help="a part: left, top, width, height in mm"
    )
    group.add("--depth", type=words.whole(1, 16), choices=(8, 16), help="bits a sample")


def _add_how_many(parser: Parser) -> None:
    group = parser.group("how many pages")
    group.add(
        *("-n", "--pages"),
        type=words.whole(1, 100_000),
        metavar="N",
        help="how many [feeder: all, flatbed: 1]",
    )
    group.add("--prompt", action="store_true", help="ask for the next page after each")
    group.add("--delay", type=words.seconds, metavar="S", help="wait between pages")
    group.add(
        "--manual-duplex",
        action="store_true",
        help="the fronts, then, when the stack was turned over, the backs",
    )
    group.add("--append", metavar="FILE.pdf", help="add the pages to a PDF")


def _add_page_work(parser: Parser) -> None:
    group = parser.group("page work")
    group.add("--deskew", action="store_true", help="straighten pages")
    group.add(
        "--crop",
        type=_crop,
        metavar="[auto|MARGIN]",
        help="cut to the paper, MARGIN mm around it stay",
    )
    group.add("--rotate", choices=ROTATIONS, help="turn clockwise; auto takes OCR")
    group.add("--rotate-backs", choices=ROTATIONS[1:], help="turn the backs as well")
    group.add(
        "--skip-blank",
        type=_percent,
        metavar="[=PERCENT]",
        help="leave out pages with less ink [0.3]",
    )
    for name in ("brightness", "contrast"):
        group.add(f"--{name}", type=words.within(-100, 100), metavar="N", help="-100 to 100 [0]")
    group.add(
        "--threshold", type=words.within(0, 255), metavar="N", help="make black and white at N"
    )
    group.add("--despeckle", action="store_true", help="remove single dots")
    group.add("--white-background", action="store_true", help="make the paper white")
    group.add("--collate", choices=COLLATIONS, help="put fronts and backs in order")
    group.add(
        "--split", type=_split, metavar="WHERE", help="a new file after N pages, each or blank"
    )
    group.add("--keep-raw", metavar="DIR", help="store what the scanner sent there, too")


def _add_output(parser: Parser) -> None:
    group = parser.group("output")
    group.add(
        *("-o", "--output"),
        metavar="FILE",
        help="{date} {time} {n} {n:04} {device} {profile} are filled in; - is stdout "
        "[scan-{date}-{time}.pdf]",
    )
    group.add("-f", "--force", action="store_true", help="replace an existing file")
    group.add(
        "--format", type=_one_of(FORMATS), metavar="F", help=f"{' '.join(FORMATS)} [the ending]"
    )
    group.add("--quality", type=words.whole(1, 100), metavar="N", help="of JPEG and WebP [75]")
    group.add("--lossless", action="store_true", help="no JPEG in PDF; WebP without loss")
    group.add("--pdfa", action="store_true", help="make PDF/A-2b")
    for name in ("title", "author", "keywords"):
        group.add(f"--{name}", metavar="TEXT", help=f"the PDF's {name}")
    group.add(
        "--encrypt", action="store_true", help="a PDF that needs a password (PYSANE_PDF_PASSWORD)"
    )
    group.add("--ocr", metavar="[=LANG]", help="make text searchable [eng]")
    group.add("--ocr-sidecar", action="store_true", help="the text in FILE.txt, too")
    group.add("--open", action="store_true", help="show the file when it is done")
    group.add("--exec", metavar="CMD", help="run CMD FILE for each file")
    group.add("--exec-must-succeed", action="store_true", help="a failing CMD makes pysane fail")
    group.add(
        "--no-partial", action="store_true", help="save nothing of a scan that was interrupted"
    )


def _add_talking(parser: Parser) -> None:
    add_talk(parser)
    group = parser.group("how it goes")
    group.add("--progress", choices=KINDS, help="on stderr [auto]")
    group.add(
        "--dry-run", action="store_true", help="set the options, tell what would be done, stop"
    )


class _one_of:  # noqa: N801 - a type, as argparse calls it
    """A type of words out of a list; capitals do not matter."""

    def __init__(self, choices: Sequence[str]) -> None:
        self.choices = choices

    def __call__(self, text: str) -> str:
        word = {"jpg": "jpeg", "tif": "tiff", "grey": "gray", "colour": "color"}.get(
            text.lower(), text.lower()
        )
        if word not in self.choices:
            choices = ", ".join(self.choices)
            raise argparse.ArgumentTypeError(
                f"{text!r} is none of {choices}{words.meant(text.lower(), self.choices)}"
            )
        return word


def _crop(text: str) -> str | float:
    """Return "auto" or a margin in mm."""
    return "auto" if text in ("", "auto") else words.mm(text)


def _percent(text: str) -> float:
    """Return the percentage of ink, 0.3 if there is none."""
    return words.number(text.removesuffix("%"), 0, 100) if text else 0.3


def _split(text: str) -> str | int:
    """Return where a new file begins: after how many pages, "each" or "blank"."""
    if text == "patch-t":
        raise argparse.ArgumentTypeError("sheets with the bar code patch-t are not known yet")
    if text in ("each", "blank"):
        return text
    if not re.fullmatch(r"[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of pages, each or blank")
    return int(text)
