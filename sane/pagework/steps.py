"""Which steps a page goes through, and in which order.

It knows the names of the steps and what each of them needs; what they do is in their own files.
What is missing is told when the steps are chosen, before a page is scanned. Source: specification
python-api-and-cli 12.3.
"""

from __future__ import annotations

from .libraries import opencv, require
from .problem import USAGE, PageWorkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from .sheet import Sheet

    Work = Callable[[Sheet], Sheet]


class Step:
    """One step: its name, as users write it, and what takes a page and gives one."""

    __slots__ = ("name", "work")

    def __init__(self, name: str, work: Work) -> None:
        self.name = name
        self.work = work

    def __repr__(self) -> str:
        return f"<Step {self.name}>"


def steps_for(
    *,
    rotate: Literal["auto"] | int | None = None,
    rotate_backs: int | None = None,
    deskew: bool = False,
    crop: Literal["auto"] | float | None = None,
    blank: float | None = None,
    white_background: bool = False,
    brightness: float = 0.0,
    contrast: float = 0.0,
    despeckle: bool = False,
    threshold: float | None = None,
) -> list[Step]:
    """Return the chosen steps in the order in which they are done.

    rotate, rotate_backs: degrees clockwise; "auto" as the print stands. crop: "auto", or the
    margin in mm that stays around the paper. blank: percent of ink up to which a page is marked as
    blank; blank pages are only marked, order.arrange leaves them out. Raises PageWorkError for a
    library or program that is not there, and for values out of range.
    """
    from . import blank as blanks
    from . import tone

    steps = _turns(rotate, rotate_backs)
    if deskew:
        steps.append(_deskew())
    if crop is not None:
        steps.append(_crop(crop))
    if blank is not None:
        _check("skip-blank", blank, 0, 100)
        require("numpy", "finding blank pages")
        steps.append(Step("blank", lambda sheet: blanks.find_blank(sheet, blank)))
    if rotate == "auto":
        steps.append(_upright())
    if white_background:
        opencv("white-background")
        steps.append(Step("white-background", tone.white_background))
    if brightness or contrast:
        _check("brightness", brightness, -100, 100)
        _check("contrast", contrast, -100, 100)
        require("numpy", "brightness and contrast")
        steps.append(
            Step("brightness", lambda sheet: tone.adjust(sheet, brightness, contrast)),
        )
    if despeckle:
        opencv("despeckle")
        steps.append(Step("despeckle", tone.despeckle))
    if threshold is not None:
        _check("threshold", threshold, 0, 255)
        require("numpy", "threshold")
        steps.append(Step("threshold", lambda sheet: tone.threshold(sheet, threshold)))
    return steps


def _turns(rotate: str | int | None, rotate_backs: int | None) -> list[Step]:
    """Return the turns by angles that the user said."""
    from . import turn

    angles = [] if rotate in (None, "auto") else [("rotate", rotate)]
    angles += [] if rotate_backs is None else [("rotate-backs", rotate_backs)]
    for name, angle in angles:
        if angle not in turn.ANGLES:
            raise PageWorkError(f"{name} {angle} is not 0, 90, 180 or 270", exit_code=USAGE)
        if angle:
            require("numpy", name)
    steps = []
    if rotate not in (None, "auto", 0):
        steps.append(Step("rotate", lambda sheet: turn.rotate(sheet, int(rotate or 0))))
    if rotate_backs:
        steps.append(
            Step(
                "rotate-backs",
                lambda sheet: turn.rotate(sheet, rotate_backs) if sheet.side == "back" else sheet,
            )
        )
    return steps


def _deskew() -> Step:
    from .skew import deskew

    opencv("deskew")
    return Step("deskew", deskew)


def _crop(margin: Literal["auto"] | float) -> Step:
    from . import crop

    opencv("crop")
    margin_mm = None if margin == "auto" else float(margin)
    return Step("crop", lambda sheet: crop.crop(sheet, margin_mm))


def _upright() -> Step:
    """Return the turn by print; without tesseract each page gets a note instead."""
    from shutil import which

    from . import turn

    require("numpy", "rotate auto")
    program = which("tesseract")
    if program is None:
        note = "pages are not turned: rotate auto needs tesseract"
        return Step("rotate auto", lambda sheet: sheet.noted(notes=[note]))
    return Step("rotate auto", lambda sheet: turn.rotate_upright(sheet, program))


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise PageWorkError(f"{name} {value} is not in {least} to {most}", exit_code=USAGE)
