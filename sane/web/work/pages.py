"""One page: loaded from its file, straightened or cropped, and shown in the sizes of the page.

It knows files of ours (PNG, JPEG) and the steps of page work. crop and rotate are those of the
document's record: parts of the page as it was scanned, then turned clockwise.
"""

from __future__ import annotations

from ...pagework.encode import JPEG, picture_of
from ...pagework.libraries import require
from ...pagework.sheet import Sheet
from ..store.files import PART, write_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    Crop = dict[str, float] | None

MOST_PIXELS = 1 << 30  # of a page: A3 at 1200 dpi has a quarter of it
QUALITY = 90  # of a page that a JPEG becomes again
SIZES = {"thumb": (256, 75), "screen": (1600, 85)}  # longest side in pixels, quality
FULL_QUALITY = 92


class FilePage:
    """A page in a file, as page work takes it: cropped and turned; pixels only when needed."""

    def __init__(
        self,
        path: str,
        *,
        kind: str,
        dpi: float,
        mode: Literal["color", "gray", "lineart"],
        number: int = 1,
        rotate: int = 0,
        crop: Crop = None,
    ) -> None:
        self.path = path
        self.mode = mode
        self.number = number
        self.side = None
        self.dpi = (dpi, dpi)
        image = opened(path)
        self.is_changed = bool(rotate or crop)
        if self.is_changed:
            image = changed(image, rotate, crop)
        self._image = image
        self.width, self.height = image.size
        self.depth = 16 if image.mode.startswith("I") else 8
        self.encoded: dict[str, bytes] = {}
        if kind == "jpeg" and not self.is_changed:
            with open(path, "rb") as file:
                self.encoded = {JPEG: file.read()}

    @property
    def array(self) -> Any:
        np = require("numpy", "page work")
        image = self._image
        if image.mode == "1":
            image = image.convert("L")
        elif image.mode.startswith("I"):
            return np.asarray(image).astype(np.uint16)
        elif image.mode not in ("L", "RGB"):
            image = image.convert("RGB" if self.mode == "color" else "L")
        return np.asarray(image)

    def sheet(self) -> Sheet:
        """Return the page for the steps."""
        return Sheet(
            self.array,
            mode=self.mode,
            dpi=self.dpi,
            number=self.number,
            encoded=self.encoded,
        )


def opened(path: str) -> Any:
    """Return the picture in a file as Pillow's image; raises PageWorkError."""
    images = require("PIL.Image", "showing pages")
    images.MAX_IMAGE_PIXELS = MOST_PIXELS
    return images.open(path)


def changed(image: Any, rotate: int, crop: Crop) -> Any:
    """Return *image* cropped, then turned clockwise."""
    if crop is not None:
        width, height = image.size
        left, top = round(crop["left"] * width), round(crop["top"] * height)
        right = round((crop["left"] + crop["width"]) * width)
        bottom = round((crop["top"] + crop["height"]) * height)
        left, top = min(left, width - 1), min(top, height - 1)
        box = (left, top, min(max(right, left + 1), width), min(max(bottom, top + 1), height))
        image = image.crop(box)
    if rotate:
        ways = require("PIL.Image", "turning pages").Transpose
        turns = {90: ways.ROTATE_270, 180: ways.ROTATE_180, 270: ways.ROTATE_90}
        image = image.transpose(turns[rotate])
    return image


def prepare(*, path: str, page: dict[str, Any], work: dict[str, Any]) -> dict[str, Any]:
    """Do the steps of *work* on a page; its new file is *path* with another ending, ".part".

    Returns its facts: "changed", "kind" and sizes if it is, "blank", "notes". A step that fails
    leaves the page as it was scanned, and a note.
    """
    from ...pagework.steps import steps_for

    scanned = FilePage(path, **page).sheet()
    sheet, notes, name = scanned, [], "page work"
    try:
        for step in steps_for(**work):
            name = step.name
            sheet = step.work(sheet)
    except Exception as exc:  # whatever a library raises: the page is more than the step
        notes.append(f"the page is kept as it was scanned: {name} failed: {exc}")
        sheet = scanned
    facts = sheet.facts
    notes += facts.get("notes", ())
    out: dict[str, Any] = {"changed": False, "blank": facts.get("is_blank"), "notes": notes}
    if sheet.array is not scanned.array:
        form = "jpeg" if page["kind"] == "jpeg" and sheet.mode != "lineart" else ""
        picture = picture_of(sheet, form, quality=QUALITY)
        write_whole(f"{path}.work{PART}", picture.data)
        across, _ = sheet.dots
        out |= {"changed": True, "kind": picture.kind, "mode": sheet.mode, "dpi": float(across)}
        out |= {"width": sheet.width, "height": sheet.height, "bytes": len(picture.data)}
    return out


def view(
    *,
    path: str,
    target: str,
    size: str,
    dpi: float,
    rotate: int = 0,
    crop: Crop = None,
    png: bool = False,
) -> dict[str, Any]:
    """Write a page as it is to be shown to *target*: size "thumb", "screen" or "full"."""
    from io import BytesIO

    image = opened(path)
    longest, quality = SIZES.get(size, (0, FULL_QUALITY))
    if longest and image.format == "JPEG":
        image.draft(None, (longest, longest))  # decodes a part of the picture only
    image = changed(image, rotate, crop)
    if longest:
        image = _eight_bits(image)
        image.thumbnail((longest, longest))
    data = BytesIO()
    dots: dict[str, Any] = {} if longest else {"dpi": (dpi, dpi)}  # a smaller picture has others
    if png and not longest:
        image.save(data, "PNG", compress_level=1, **dots)
    else:
        _eight_bits(image).save(data, "JPEG", quality=quality, optimize=True, **dots)
    write_whole(target, data.getvalue())  # who changes the page may remove it at once
    return {"bytes": len(data.getvalue())}


def _eight_bits(image: Any) -> Any:
    """Return *image* as gray or RGB of 8 bits a sample."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")
