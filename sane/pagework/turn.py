"""Pages turned by right angles: as told, or as the OCR engine sees which way print stands.

It runs tesseract as a program and reads what that prints; turning itself needs NumPy alone.
Source: tesseract(1), --psm 0; specification python-api-and-cli 12.4.
"""

from __future__ import annotations

import os

from .libraries import require
from .light import small_gray
from .problem import PageWorkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .sheet import Sheet

ANGLES = (0, 90, 180, 270)
DPI = 300.0  # the print is looked at in this resolution: 8 points are told upside down at 150
LEAST_CONFIDENCE = 5.0  # of tesseract's own scale: below, it guesses; good print has 10
SECONDS = 60.0  # the program is not waited for any longer


def rotate(sheet: Sheet, degrees: int) -> Sheet:
    """Return the page turned clockwise by a right angle, 0, 90, 180 or 270 degrees."""
    if degrees not in ANGLES:
        raise ValueError(f"rotate {degrees} is not one of {', '.join(map(str, ANGLES))}")
    if not degrees:
        return sheet
    np = require("numpy", "rotate")
    array = np.ascontiguousarray(np.rot90(sheet.array, -degrees // 90))
    before = int(sheet.facts.get("turned") or 0)
    across, down = sheet.dpi or (0.0, 0.0)
    dpi = (down, across) if degrees in (90, 270) else (across, down)
    out = sheet.replaced(array, turned=(before + degrees) % 360)
    out.dpi = dpi if sheet.dpi else None
    return out


def rotate_upright(sheet: Sheet, program: str, seconds: float = SECONDS) -> Sheet:
    """Return the page turned as its print stands, with the fact "turned": degrees clockwise.

    program: the path of tesseract. A page without print that it can tell stays as it is. Raises
    PageWorkError if the program does not answer within *seconds*.
    """
    degrees = _upright(sheet, program, seconds)
    return rotate(sheet, degrees) if degrees else sheet.noted(turned=0)


def _upright(sheet: Sheet, program: str, seconds: float) -> int:
    """Return by how much the page must be turned clockwise, 0 if that cannot be told."""
    import subprocess

    light, dpi = small_gray(sheet, DPI)
    head = b"P5\n%d %d\n255\n" % (light.shape[1], light.shape[0])
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}  # pages go side by side
    command = [program, "stdin", "stdout", "--psm", "0", "--dpi", str(max(70, round(dpi)))]
    try:
        done = subprocess.run(
            command,
            input=head + light.tobytes(),
            env=environment,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        message = f"{program} did not tell in {seconds:g} s which way page {sheet.number} stands"
        raise PageWorkError(message) from exc
    except OSError as exc:
        raise PageWorkError(f"{program} cannot be run: {exc.strerror}") from exc
    facts = {}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        facts[name.strip()] = value.strip()
    try:
        degrees, confidence = int(facts["Rotate"]), float(facts["Orientation confidence"])
    except (KeyError, ValueError):
        return 0  # too few letters: the program says so and fails
    return degrees if degrees in ANGLES and confidence >= LEAST_CONFIDENCE else 0
