"""One test device: what it starts with, its parameters and its frames.

Source: specification of the test backend, sections 1.2, 2.3, 3 and 5.
"""

from __future__ import annotations

from ...backend import (
    FRAME_BLUE,
    FRAME_GRAY,
    FRAME_GREEN,
    FRAME_RED,
    FRAME_RGB,
    Area,
    Parameters,
    errors,
)
from ...const import MM_PER_INCH
from ...errors import BY_STATUS
from ...option import words_bytes
from ...param import line_bytes
from ...values import default_bytes
from .options import GAMMA_TABLES, SHARED_ARRAYS, TestOptions
from .settings import FEEDER, FORCED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import Backend
    from .stream import PictureStream

HAND_WIDTH, HAND_HEIGHT = 110.0, 170.0  # mm that a hand scanner covers
FEEDER_PAGES = 10  # every 11th start with the feeder selected finds it empty
COLORS = {"R": FRAME_RED, "G": FRAME_GREEN, "B": FRAME_BLUE}
SOLID_BLOCK = 65536  # bytes that the original's producer writes at once


class TestDevice(TestOptions):
    """A flatbed of 200 x 200 mm that scans pictures of its own making.

    What it declares of Policy breaks rules of the standard, as the original does (2.1, 5).
    """

    __test__ = False  # not a test class
    may_raise_sigpipe = False
    frame_actions = ()  # not even GET
    takes_empty_reads = outlasts_cancel = vouches_for_parameters = True
    cancelled_read = errors.DeviceIOError  # the original loses its pipe under a blocked read

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.is_open = False
        self.is_prepared = False
        self.fetched = {0}
        self.frame_bytes = 0
        self.pages = self.pass_number = 0
        self._block = self._block_left = 0
        self._stream: PictureStream | None = None

    # Options

    def reopen(self) -> None:
        """Begin anew with the scan; option values stay as an earlier open left them."""
        self.is_open = True
        self.pages = self.pass_number = 0

    def settle_options(self) -> None:
        """Set the values of the configuration; a later open keeps what an earlier one left."""
        if self.is_prepared:
            return
        self.is_prepared = True
        settings, options = self.backend.settings, self.options
        for item in self.declared:
            word = settings.words.get(item.attribute)
            if word is not None:
                options.write(item, words_bytes((word,)))
        for attribute, text in settings.strings.items():
            item = getattr(TestDevice, attribute)
            options.write(item, item.encode(text))  # as the original has looked at it
        options.constraints[TestDevice.resolution.index] = settings.range("resolution")
        geometry = tuple(getattr(TestDevice, name) for name in ("tl_x", "tl_y", "br_x", "br_y"))
        for item in geometry:
            options.constraints[item.index] = settings.range("geometry")
        options.update(self)
        # The original does not look at what the configuration says of these.
        options.set_active(TestDevice.invert_endianess, False)
        for item in geometry:
            options.set_active(item, True)
        for attribute in GAMMA_TABLES:
            options.set_active(getattr(TestDevice, attribute), True)
        for attribute in SHARED_ARRAYS:
            if attribute in self.backend.shared:
                self.adopt(attribute, self.backend.shared[attribute])
        for attribute in GAMMA_TABLES:
            item = getattr(TestDevice, attribute)
            self.backend.share(attribute, default_bytes(item))

    def adopt(self, attribute: str, data: bytes) -> None:
        """Take the value that all devices share."""
        self.options.write(getattr(TestDevice, attribute), data)

    # The scan

    @property
    def is_feeder(self) -> bool:
        """The document feeder is selected."""
        return bool(self.source == FEEDER)

    @property
    def forced_status(self) -> Any:
        """The status that every read has to return, or 0."""
        return FORCED.index(self.read_return_value)

    def parameters(self) -> Parameters:
        return self.describe(exact=self._stream is not None)

    def describe(self, *, exact: bool) -> Parameters:
        """Return the parameters; unless *exact*, fuzzy ones if the option says so."""
        area = Area(0.0, 0.0, HAND_WIDTH, HAND_HEIGHT) if self.hand_scanner else self.area
        fuzz = 1 if exact or not self.fuzzy_parameters else self.backend.fuzz
        width_px = max(1, whole(self.resolution * area.width / MM_PER_INCH) * fuzz)
        if self.hand_scanner:
            lines = -1
        else:
            lines = max(1, whole(self.resolution * area.height / MM_PER_INCH)) * fuzz
        frame, last = self._frame()
        channels = 3 if frame == FRAME_RGB else 1
        return Parameters(
            frame,
            max(1, width_px - self.ppl_loss),
            lines,
            self.depth,
            last_frame=last,
            bytes_per_line=line_bytes(width_px, channels, self.depth),
        )

    def _frame(self) -> tuple[Any, bool]:
        """Return format and last_frame of the frame that is due."""
        if self.mode == "Gray":
            return FRAME_GRAY, True
        if not self.three_pass:
            return FRAME_RGB, True
        letter = self.three_pass_order[self.pass_number]
        return COLORS[letter], self.pass_number == len(COLORS) - 1

    def check_start(self, in_frame: bool) -> None:
        """Start again in mid-frame unless in single-pass colour; the feeder runs empty."""
        if in_frame and self.mode == "Color" and not self.three_pass:
            raise errors.Invalid("start: a frame is being acquired already")
        if self.pass_number == 0:
            self.pages += 1
            if self.is_feeder and self.pages % (FEEDER_PAGES + 1) == 0:
                raise errors.NoDocs("the feeder is empty")

    def start(self) -> None:
        from .picture import make_picture
        from .stream import PictureStream

        params = self.describe(exact=True)
        lines = params.lines
        if lines < 0:
            lines = whole(self.resolution * HAND_HEIGHT / MM_PER_INCH)
        self.frame_bytes = lines * params.bytes_per_line
        picture = make_picture(
            self.test_picture,
            params,
            self.resolution,
            swap_bytes=self.invert_endianess and self.depth == 16,
        )
        limit = self.read_limit_size if self.read_limit else 0
        self._stream = PictureStream(picture, self.frame_bytes, limit)
        solid = self.test_picture.startswith("Solid")
        self._block = SOLID_BLOCK if solid else len(picture.row_index) // 2 * params.bytes_per_line
        self._block_left = 0
        special = self.read_delay or self.forced_status or (self.read_limit and limit <= 0)
        self.reader = None if special else self._stream.capsule()

    def before_read(self, view: memoryview | None) -> memoryview | None:
        """A forced status comes first, even before the check of the buffer."""
        status = self.forced_status
        if status:
            raise BY_STATUS[status](f"read-return-value is {self.read_return_value}")
        if self.read_limit and view is not None:
            view = view[: max(0, self.read_limit_size)]
        return view

    def check_io_mode(self, non_blocking: bool) -> None:
        """The option non-blocking decides."""
        if non_blocking and not self.non_blocking:
            raise errors.Unsupported("the option non-blocking is off")

    def check_select_fd(self) -> None:
        """The option select-fd decides."""
        if not self.select_fd:
            raise errors.Unsupported("the option select-fd is off")

    def read_into(self, view: memoryview) -> Any:
        stream = self._stream
        if stream is None:
            return 0
        if self.read_delay and stream.left_bytes:
            if not self._block_left:
                self.wait(self.read_delay_duration / 1e6)
                self._block_left = min(self._block, stream.left_bytes)
            view = view[: self._block_left]
        n = stream.read_into(view)
        self._block_left -= n
        return n

    def frame_ended(self) -> None:
        self._stream = self.reader = None
        if self.mode == "Color" and self.three_pass:
            self.pass_number = (self.pass_number + 1) % len(COLORS)

    def finish(self, aborted: bool) -> None:
        """Only a cancel in mid-frame starts three-pass scans from the first colour again."""
        self._stream = self.reader = None
        if aborted:
            self.pass_number = 0

    def close(self) -> None:
        self.is_open = False
        self._stream = self.reader = None


def share_arrays() -> None:
    """Let a SET of one of the shared arrays reach all devices."""
    for attribute in (*SHARED_ARRAYS, *GAMMA_TABLES):
        item = getattr(TestDevice, attribute)

        def spread(device: TestDevice, item: Any = item) -> None:
            device.backend.share(item.attribute, device.options.read(item))

        item.changed(spread)


def whole(value: float) -> Any:
    """Return *value* truncated toward zero: inside TestDevice, int is an option."""
    return int(value)


share_arrays()
