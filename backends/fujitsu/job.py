"""A batch of sheets: what is fed, read and kept, in which order.

It knows sheets, sides and streams; what a side does with its data is sides.py's, how the scanner
is asked scanner.py's. Source: specification fujitsu 7 and 9.

    set up --> feed, scan --> read front (and back ahead) --> read back --> feed, scan, ...
                  |  ^                                            |
                  |  +---- the next sheet, while a back or the last of a side is delivered
                  +--> no paper, jam, cover: the batch ends; what was scanned is delivered first
"""

from __future__ import annotations

from time import monotonic

from ...backend import UsbError, errors
from . import commands, steps
from .settings import OFF
from .sides import JpegSide, RawSide, Side, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .clean import Cleaner
    from .scanner import Scanner
    from .settings import Settings

FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.1
JPEG_HEAD = 18  # bytes less are asked for at first, as the original does
MOST_READ = 0xFFFFFF  # that a command can ask for
LEAST_LINES = 2  # that a READ asks for, however small its buffer


class Sheet:
    """The sides of one sheet that are still to be delivered, and what comes of it.

    has_end: the scanner said that the paper has ended, of either side. cleaner: of its sides, made
    when one is cleaned.
    """

    def __init__(self, sides: list[Side], streams: dict[Side, Stream]) -> None:
        self.sides = sides
        self.streams = streams
        self.cleaner: Cleaner | None = None
        self.has_end = False

    @property
    def has_ended(self) -> bool:
        """Whether all of it was received."""
        return all(stream.has_ended for stream in self.streams.values())


class Job:
    """A batch in progress, with one set of settings.

    wait(seconds) waits, and ends with Cancelled. decodes, keeps: JPEG is wanted as pixels, as it
    came, or both.
    """

    patience = 30.0  # seconds without any data, after which the scanner is stuck

    def __init__(
        self,
        scanner: Scanner,
        settings: Settings,
        buffer_bytes: int,
        wait: Callable[[float], object],
        *,
        decodes: bool = True,
        keeps: bool = False,
    ) -> None:
        self.scanner = scanner
        self.settings = settings
        self.able = settings.capabilities
        self.wait = wait
        self._jpeg_form = {"decodes": decodes, "keeps": keeps}
        self._buffer_bytes = buffer_bytes
        self._scratch = memoryview(b"")
        self._sheet = Sheet([], {})
        self._sheets = 0  # that were scanned
        self._is_set_up = False
        self._is_idle = False  # there is nothing to be read ahead
        self._is_cancel_due = False  # paper may lie inside
        self.is_feeding = False  # the next sheet is drawn in, in advance

    # Sheets

    def next_side(self) -> Side:
        """Return the side that comes next: of the sheet inside, or of the next one."""
        if not self._is_set_up:
            self._set_up()
        self._is_idle = False
        if not self._sheet.sides:
            self._next_sheet()
        else:
            self._begin_back(self._sheet.sides[0])
        return self._sheet.sides.pop(0)

    def _set_up(self) -> None:
        self.scanner.set_up(list(steps.before_batch(self.settings)))
        if self.able.can_control:
            self.scanner.light_lamp()
        is_checked = self.able.quirks.checks_hopper and not self.settings.is_flatbed
        if is_checked and not self.scanner.status(is_m3091=False)["page_loaded"]:
            raise errors.NoDocs("the hopper is empty")
        self._is_set_up = True

    def _next_sheet(self) -> None:
        settings = self.settings
        is_first = not self._sheets
        self._sheet = Sheet([], {})  # the last one's pictures are not kept beside the next one's
        if not settings.is_flatbed:
            self._is_cancel_due = True
            self.is_feeding = False
            try:
                self.scanner.feed(waits=self.able.quirks.waits_after_feed)
            except (errors.Cancelled, UsbError):
                raise
            except errors.SaneError:
                self._is_cancel_due = not is_first
                raise
        self._is_cancel_due = True
        self.scanner.scan(self._windows())
        self._sheets += 1
        self._sheet = self._new_sheet()

    def _windows(self) -> bytes:
        if self.settings.is_duplex:
            return bytes((commands.FRONT, commands.BACK))
        return bytes((commands.BACK if self.settings.is_back else commands.FRONT,))

    def _new_sheet(self) -> Sheet:
        settings = self.settings
        first = commands.BACK if settings.is_back else commands.FRONT
        width_px, lines = settings.width_px, settings.lines
        size = self.scanner.pixel_size(first)
        if size is not None:
            width_px = size.width_px
            lines = lines if settings.has_color_gap else size.lines
        sides = [self._new_side(width_px, lines, is_back=settings.is_back)]
        if settings.is_duplex:
            sides.append(self._new_side(width_px, lines, is_back=True))
        return Sheet(sides, self._streams(sides))

    def _new_side(self, width_px: int, lines: int, *, is_back: bool) -> Side:
        if self.settings.is_jpeg:
            form = self._jpeg_form
            return JpegSide(self.settings, width_px, lines, is_back=is_back, **form)
        return RawSide(self.settings, width_px, lines, is_back=is_back)

    def _streams(self, sides: list[Side]) -> dict[Side, Stream]:
        """Return which stream each side comes from."""
        settings = self.settings
        if settings.is_one_stream:
            return self._one_stream(sides)
        found = {}
        for side in sides:
            window = commands.BACK if side.is_back else commands.FRONT
            stream = Stream(window, -1, 1, side.feed, side.end)
            if isinstance(side, RawSide):
                stream.expected, stream.line_bytes = side.wire_bytes, side.line_bytes
            elif isinstance(side, JpegSide):
                stream.line_bytes, stream.is_jpeg = side.line_bytes, True
            is_kept = settings.is_duplex and side.is_back and not settings.is_sequential
            is_buffered = settings.is_buffered and not side.is_back
            stream.is_whole = is_buffered or settings.has_color_gap or is_kept
            if isinstance(side, RawSide):
                stream.lines = side.received_lines(is_kept=stream.is_whole)
            found[side] = stream
        if settings.is_jpeg and settings.is_duplex:
            self._join(*found.items())
        return found

    def _join(self, one: tuple[Side, Stream], other: tuple[Side, Stream]) -> None:
        """Let the front's stream feed both sides if it turns out to have both (7.6)."""
        from ...image.jpegsides import JpegSides

        (front, stream), (back, later) = one, other
        dealt = JpegSides(front.feed, back.feed, front.width_px)

        def end() -> None:
            dealt.end()
            front.end()
            if dealt.is_dealt:
                later.end()

        later.after = stream
        stream.redirect(dealt.feed, end)

    def _one_stream(self, sides: list[Side]) -> dict[Side, Stream]:
        """Return the stream in which lines of both sides come in turn (M3091)."""
        from ...image.sides import Sides

        front, back = sides
        if not (isinstance(front, RawSide) and isinstance(back, RawSide)):
            raise errors.Invalid("JPEG of both sides in one stream")
        lines = front.wire_bytes // front.line_bytes
        lead = min(lines, self.settings.back_lag)
        dealt = Sides(front, back, front.line_bytes, lines, lead)  # type: ignore[arg-type]
        total = 2 * lines * front.line_bytes
        stream = Stream(commands.FRONT, total, front.line_bytes, dealt.feed, dealt.end)
        return {front: stream, back: stream}

    def _begin_back(self, back: Side) -> None:
        """Ask for the size of a back, whose data may have come already."""
        stream = self._sheet.streams[back]
        if stream.window == commands.FRONT or (stream.has_ended and not stream.received):
            return  # it came with the front
        size = self.scanner.pixel_size(stream.window)
        if size is not None and (size.width_px, size.lines) != (back.width_px, back.wire_lines):
            back.fit(size.width_px, size.lines)
            if isinstance(back, RawSide) and not stream.has_ended:
                stream.expected, stream.line_bytes = back.wire_bytes, back.line_bytes

    # Data

    def read_into(self, side: Side, view: memoryview) -> int:
        """Write the next bytes of *side* into *view*; return how many, 0 at its end."""
        stream = self._sheet.streams[side]
        while True:
            n = side.take(view)
            if not n and not stream.has_ended:
                self._advance(stream)
                continue
            if not self._is_idle:
                self._read_ahead(stream)
            return n

    def read_document(self, side: Side, view: memoryview) -> int:
        """Do the same with the JPEG as the scanner sends it."""
        stream = self._sheet.streams[side]
        while not side.kept and not stream.has_ended:
            self._advance(stream)
        n = min(len(view), len(side.kept))
        view[:n] = side.kept[:n]
        del side.kept[:n]
        return n

    def complete(self, side: Side) -> bool:
        """Receive all of *side* and clean it; return whether it is to be delivered.

        No sheet is drawn in before the scanner has told the picture's size: then it has forgotten.
        """
        stream = self._sheet.streams[side]
        while not stream.has_ended:
            self._advance(stream)
            self._read_backs(stream)
        if not isinstance(side, RawSide):
            return True
        size = self.scanner.pixel_size(stream.window)
        if size is not None and self.settings.hwdeskewcrop and not self.able.quirks.is_m3091:
            width_px, lines = size.paper_width, size.paper_lines
            side.fit(width_px or side.width_px, lines or side.wire_lines)
        leaves_crop = None if size is None else size.leaves_crop
        if self._sheet.cleaner is None:
            from .clean import Cleaner

            self._sheet.cleaner = Cleaner(self.settings)
        is_wanted = self._sheet.cleaner.clean(side, leaves_crop=leaves_crop)
        if not side.lines:
            raise errors.DeviceIOError(f"a side without lines, {stream.received} bytes came")
        return is_wanted

    def _read_ahead(self, stream: Stream) -> None:
        """Read some of the back, which would else hold up the front; or draw in a sheet."""
        if not self.settings.is_sequential:
            self._read_backs(stream)
            self._feed_ahead()
        self._is_idle = self._sheet.has_ended

    def _read_backs(self, stream: Stream) -> None:
        """Read some of the back beside *stream*, if it is behind."""
        if self.settings.is_sequential:
            return
        for other in self._sheet.sides:
            ahead = self._sheet.streams[other]
            is_due = ahead.received < stream.received + self._buffer_bytes
            is_held = ahead.after is not None and not ahead.after.has_ended
            if ahead is stream or ahead.has_ended or is_held:
                continue
            if ahead.failure is not None or not is_due:
                continue
            try:
                self._read(ahead)
            except (errors.Cancelled, UsbError):
                raise
            except errors.SaneError as exc:
                ahead.failure = exc

    def _feed_ahead(self) -> None:
        """Draw in the next sheet while the last of this one is delivered.

        From the second sheet on: whoever asked for two of them wants all, and who wants one is not
        to find the next one in the exit.
        """
        is_wanted = self._sheets > 1 and self.settings.prepick != OFF
        if self.is_feeding or self.settings.is_flatbed or not is_wanted:
            return
        if not self._sheet.sides and self._sheet.has_ended:
            self.is_feeding = True
            self.scanner.begin_feed()

    def _advance(self, stream: Stream) -> None:
        """Receive some of *stream*; raises what is wrong, after what has come was delivered."""
        if stream.failure is not None:
            raise stream.failure
        end = monotonic() + self.patience
        pause = FIRST_PAUSE
        while not self._read(stream):
            if monotonic() > end:
                raise errors.DeviceIOError(
                    f"no image data within {self.patience:g} s, after {stream.received} bytes"
                )
            self.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _read(self, stream: Stream) -> bool:
        """Do one READ; return whether it brought anything, or the end."""
        size = self._size(stream)
        view = stream.lines.room(size) if stream.lines is not None else self._room(size)
        if not stream.received and self.able.can_control:
            self.scanner.await_data(stream.window, size)
        try:
            answer = self.scanner.read(stream.window, view)
        except errors.DeviceBusy:
            return False
        is_short = answer.sense is not None and answer.sense.is_short
        self._sheet.has_end |= answer.is_end
        stream.feed(view[: len(answer.data)])
        if not stream.missing or (self._sheet.has_end and is_short):
            stream.end()
        return bool(answer.data) or stream.has_ended

    def _room(self, size: int) -> memoryview:
        """Return where *size* bytes may be received that go elsewhere from there."""
        if len(self._scratch) < size:
            self._scratch = memoryview(bytearray(size))
        return self._scratch[:size]

    def _size(self, stream: Stream) -> int:
        """Return how much is asked for: whole lines, if possible an even number of bytes."""
        line = stream.line_bytes
        room = max(self._buffer_bytes, LEAST_LINES * line)
        missing = stream.missing
        if stream.is_whole and missing >= 0:
            room = min(room, missing)
        size = room // line * line or room
        if stream.is_jpeg:
            return size - JPEG_HEAD if not stream.received and size > JPEG_HEAD else size
        if size % 2 and size < missing and size > line:
            size -= line
        return min(size, MOST_READ)

    # The end

    def finish(self, *, is_fine: bool) -> None:
        """End the batch: the paper goes out. is_fine: no scan of it was interrupted."""
        is_due, self._is_cancel_due = self._is_cancel_due, False
        self._sheet = Sheet([], {})
        if is_due:
            halts = bool(self.settings.halt_on_cancel) and not is_fine
            self.scanner.cancel(halts=halts, can_control=self.able.can_control)
