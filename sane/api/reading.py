"""Frames of a job to pages: which frames belong to one page, with everything that is known of it.

It knows what a source of frames gives; it knows neither options nor threads.
"""

from __future__ import annotations

from ..errors import DeviceIOError, NoDocs
from ..pages import COLORS, read_bytes, read_memory
from .page import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..backend import DeviceInfo
    from ..param import Parameters
    from ..scanner import Frames
    from .meter import Meter

    Frame = tuple[Parameters, Any]

MOST_FRAMES = 16  # of one page: RGB and infrared are two; a driver that tells no end is stopped


class Facts:
    """What is known of all pages of a job before it begins.

    is_duplex: fronts and backs come in turns. keep: the MIME type in which the device's own page
    is kept with the pixels, "" for not.
    """

    __slots__ = ("device", "dpi", "is_duplex", "is_flatbed", "keep", "settings")

    def __init__(
        self,
        device: DeviceInfo | None = None,
        dpi: tuple[float, float] | None = None,
        settings: dict[str, Any] | None = None,
        *,
        is_duplex: bool = False,
        is_flatbed: bool = False,
        keep: str = "",
    ) -> None:
        self.device = device
        self.dpi = dpi
        self.settings = settings or {}
        self.is_duplex = is_duplex
        self.is_flatbed = is_flatbed
        self.keep = keep

    def page(self, frames: list[Frame], number: int, encoded: dict[str, bytes]) -> Page:
        """Return the page of *frames*, with all that is known."""
        side: Any = None
        if self.is_duplex:
            side = "front" if number % 2 else "back"
        return Page(
            frames,
            number=number,
            side=side,
            dpi=self.dpi,
            device=self.device,
            settings=self.settings,
            encoded=encoded,
        )


def read_page(source: Frames, facts: Facts, meter: Meter, number: int) -> Page:
    """Read page *number* of the job; raises NoDocs when there is none."""
    source.keep(facts.keep)
    meter.begin(number)
    frames = list(read_frames(source, meter, read_memory))
    encoded = {facts.keep: source.kept(facts.keep)} if facts.keep else {}
    page = facts.page(frames, number, encoded)
    meter.end()
    return page


def read_frames(
    source: Frames, meter: Meter | None = None, read: Callable[..., Any] = read_bytes
) -> Iterator[Frame]:
    """Yield the frames of one page as the driver sends them; raises NoDocs when there is none.

    read: read_bytes or read_memory, which gives the bytes of a frame. Three colour frames must come
    together. What follows a page's pixels, as infrared, is not counted by the meter.
    """
    colors: list[int] = []
    first: Parameters | None = None
    for count in range(MOST_FRAMES):
        try:
            params = source.start()
        except NoDocs as exc:
            if not count:
                raise
            if 0 < len(colors) < len(COLORS):
                raise DeviceIOError(f"only {count} of three colour frames arrived") from exc
            return
        if not count and meter is not None:
            meter.expect(params)
        if first is None:
            first = params
        elif 0 < len(colors) < len(COLORS):
            _check_fit(params, first, colors)
        if params.format in COLORS and count == len(colors):
            colors.append(params.format)
        counted = meter is not None and count < max(1, len(colors))
        read_into = _counted(source, meter) if counted else source.read_into
        yield params, read(read_into, params.frame_bytes)
        if params.last_frame:
            if 0 < len(colors) < len(COLORS):
                raise DeviceIOError(f"only {len(colors)} of three colour frames arrived")
            return
    raise DeviceIOError(f"a page of more than {MOST_FRAMES} frames")


def _check_fit(params: Parameters, first: Parameters, colors: list[int]) -> None:
    """Raise DeviceIOError for what cannot follow the colour frames that have come."""
    if (params.pixels_per_line, params.depth) != (first.pixels_per_line, first.depth):
        raise DeviceIOError(f"the frames of one page differ: {first}, then {params}")
    if params.format not in COLORS:
        raise DeviceIOError(f"after {len(colors)} of three colour frames came {params}")
    if params.format in colors:
        raise DeviceIOError(f"only {len(colors)} of three colour frames arrived, one of them twice")


def _counted(source: Frames, meter: Any) -> Callable[[memoryview], int]:
    def read_into(view: memoryview) -> int:
        n = source.read_into(view)
        meter.add(n)
        return n

    return read_into
