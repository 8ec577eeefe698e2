"""A page on its way to the frontend: pieces of a document in, rows of the promised frame out.

Source: specification escl 2.7 and 4.6.
"""

from __future__ import annotations

from ...errors import DeviceIOError, Unsupported
from ...image.gamma import apply
from .capabilities import COLOR, PDF, TIFF
from .deliveries import anew

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...debug import Debug
    from ...image import Document, Fitted
    from .deliveries import Deliveries, Delivery, Wait
    from .request import Request
    from .tone import Tone

SEVERAL = (TIFF, PDF)  # formats of which one document may have several pages
HEAD_BYTES = 1024


class Frame:
    """What was promised of a page: width_px, lines (-1: as many as come), and how it is made.

    threshold: gray from which on a pixel of line art is white.
    """

    __slots__ = ("lines", "request", "threshold", "tone", "width_px")

    def __init__(self, request: Request, size: tuple[int, int], tone: Tone, threshold: int) -> None:
        self.request = request
        self.width_px, self.lines = size
        self.tone = tone
        self.threshold = threshold

    @property
    def channels(self) -> int:
        """Samples of a pixel."""
        return 3 if self.request.kind.mode == COLOR else 1

    @property
    def frame_bytes(self) -> int:
        """Bytes of the whole frame, -1 where nobody knows."""
        depth = self.request.kind.depth
        row = (self.width_px + 7) // 8 if depth == 1 else self.width_px * self.channels * depth // 8
        return row * self.lines if self.lines >= 0 else -1

    def fitted(self, document: Document) -> Fitted:
        """Return what makes this frame of the next picture of *document*."""
        from ...image import Fitted

        left, top = self.request.skipped_px()
        kind = self.request.kind
        return Fitted(
            document,
            *(self.width_px, self.lines, self.channels, kind.depth),
            sent=self.request.sent_px(),
            left=left,
            top=top,
            is_feeder=self.request.is_feeder,
            threshold=self.threshold,
            tone=None if self.tone.is_neutral else Toned(self.tone, kind.depth),
        )


class Toned:
    """Puts samples through the table of a Tone, in place; line art is made of 8 bits."""

    def __init__(self, tone: Tone, depth: int) -> None:
        self._depth = 16 if depth == 16 else 8
        self._table = tone.table(self._depth)

    def __call__(self, rows: memoryview) -> None:
        apply(rows, [self._table], self._depth)


class ReceivedPage:
    """One page of a *delivery*; a document with several has one of these after the other.

    keeps: the pieces are kept, for document(). wait(seconds, fd) ends with Cancelled.
    """

    def __init__(
        self, deliveries: Deliveries, delivery: Delivery, wait: Wait, *, keeps: bool = False
    ) -> None:
        self._deliveries = deliveries
        self._delivery = delivery
        self._wait = wait
        self._kept: list[bytes] | None = [] if keeps else None
        self._document: Document | None = None
        self._fitted: Fitted | None = None
        self._has_ended = False  # all of the document was taken
        self._left = -1

    def begin(self, frame: Frame) -> None:
        """Make the first page of the document ready to be read as *frame*."""
        from ...image import Document

        width_px, lines = frame.request.sent_px()
        lines = -1 if frame.lines < 0 else lines
        self._document = Document(width_px, lines, channels=frame.channels)
        self._begin(frame)

    def begin_next(self, frame: Frame) -> bool:
        """Do the same for the document's next page; return False if there is none."""
        document = self._document
        if document is None or document.kind not in SEVERAL or not document.is_done:
            return False
        if not document.next_picture():
            return False
        self._begin(frame)
        return True

    def _begin(self, frame: Frame) -> None:
        assert self._document is not None
        self._fitted = frame.fitted(self._document)
        self._left = frame.frame_bytes

    def _take(self) -> bytes:
        """Return the next piece of the document, nothing at its end."""
        data = self._deliveries.take(self._delivery, self._wait)
        if self._kept is not None:
            self._kept.append(data)
        self._has_ended = not data
        return data

    def read_into(self, view: memoryview) -> int:
        """Write the next bytes of the frame into *view*; return how many, 0 at its end.

        Of a document that broke off, what came is delivered; then its failure is raised. So the
        last byte waits until the document has ended.
        """
        fitted, document, delivery = self._fitted, self._document, self._delivery
        assert fitted is not None and document is not None
        while True:
            is_cut = self._has_ended and delivery.failure is not None
            if is_cut and (document.is_done or self._left == 1):
                assert delivery.failure is not None
                raise anew(delivery.failure)
            is_held = is_cut or not self._has_ended
            n = 0
            if not (is_held and self._left == 1):
                n = fitted.read_into(view[: self._left - 1] if is_held and self._left > 1 else view)
            if n or (fitted.is_done and self._has_ended):
                self._left -= n if self._left >= 0 else 0
                return n
            self._feed(fitted)

    def _feed(self, fitted: Fitted) -> None:
        """Take a piece of the document, or note its end."""
        data = self._take()
        try:
            if data:
                fitted.feed(data)
            else:
                fitted.end()
        except DeviceIOError as exc:
            failure = self._delivery.failure
            raise (exc if failure is None else anew(failure)) from exc

    def tell_size(self, debug: Debug) -> None:
        """Note at level 2 what was received where it is not what the frame has."""
        fitted, document = self._fitted, self._document
        if fitted is None or document is None:
            return
        width, lines = fitted.received
        text = "a picture of %d x %d pixels in %s%s"
        debug(2, text, width, lines, document.kind, ", cut off" if document.is_cut else "")

    def drop(self) -> None:
        """Give up what is left, unless it may hold another page or is kept."""
        is_last = self._document is None or self._document.kind not in SEVERAL
        if is_last and self._kept is None:
            self._deliveries.drop(self._delivery)

    def discard(self) -> None:
        """Give up what is left."""
        self._deliveries.drop(self._delivery)

    def encoded(self, mime: str) -> Encoded:
        """Return the document as it came; raises Unsupported if it is of another type."""
        from ...image.document import kind_of

        pieces = [] if self._kept is None else self._kept
        while not self._has_ended and sum(map(len, pieces)) < HEAD_BYTES:
            pieces.append(self._deliveries.take(self._delivery, self._wait))
            self._has_ended = not pieces[-1]
        kind = kind_of(b"".join(pieces[:HEAD_BYTES])[:HEAD_BYTES])
        if kind != mime:
            raise Unsupported(f"the scanner sent {kind or 'something unknown'}, not {mime}")
        return Encoded(pieces, self)

    def rest(self) -> bytes:
        """Return the next piece of the document; raises its failure at the end."""
        if not self._has_ended:
            data = self._deliveries.take(self._delivery, self._wait)
            if data:
                return data
            self._has_ended = True
        if self._delivery.failure is not None:
            raise anew(self._delivery.failure)
        return b""


class Encoded:
    """The bytes of a page as the scanner sends it: *pieces*, and what *page* still gets."""

    def __init__(self, pieces: list[bytes], page: ReceivedPage) -> None:
        self._pieces = list(reversed(pieces))
        self._page = page
        self._piece = memoryview(b"")

    def read_into(self, view: memoryview) -> int:
        """Write the next bytes into *view*; return how many, 0 at the end."""
        while not self._piece:
            data = self._pieces.pop() if self._pieces else self._page.rest()
            if not data and not self._pieces:
                return 0
            self._piece = memoryview(data)
        n = min(len(view), len(self._piece))
        view[:n] = self._piece[:n]
        self._piece = self._piece[n:]
        return n
