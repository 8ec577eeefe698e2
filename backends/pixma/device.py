"""A Canon scanner as a device: options become requests, pages become frames.

It knows when a page begins and ends, which page of a job it is, and when a button is waited for;
how a scanner is spoken to is its unit's. Source: specification pixma 2.9 and 4.
"""

from __future__ import annotations

from ...backend import FRAME_GRAY, FRAME_RGB, Parameters, errors
from .options import ALL_ACTIONS, PixmaOptions
from .picture import picture_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .buttons import Event
    from .picture import Picture
    from .request import Plan
    from .unit import Unit

FRESH_SECONDS = 0.25  # a frontend asks for all eight sensors at once
BUTTON_SECONDS = 1.0  # between two questions while a button is waited for


class Pixma(PixmaOptions):
    """One open scanner; it owns its unit."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self._plan: Plan | None = None  # of the page that is read, or was read last
        self._picture: Picture | None = None
        self._has_ended = False  # the page, at the scanner
        self._page = 0  # of the job
        self._is_job = False
        self._asked_at = float("-inf")
        unit.on_event = self.take_event
        unit.link.belongs_to(self)
        unit.opened()

    def parameters(self) -> Parameters:
        """Return those of the page; of a feeder also until the next one begins, or the job ends."""
        plan = self._plan
        is_between = self._is_job and plan is not None and plan.request.is_fed
        if plan is None or (self._picture is None and not is_between):
            plan = self.unit.plan(self.request())
        frame = FRAME_RGB if plan.channels == 3 else FRAME_GRAY
        return Parameters(frame, plan.width, plan.lines, plan.depth)

    # Scanning

    def check_start(self, in_frame: bool) -> None:
        """Let the next sheet begin, as the original does, before all of a page was read."""
        plan = self._plan
        if plan is None or not plan.request.is_fed:
            super().check_start(in_frame)

    def start(self) -> None:
        if self._plan is not None:
            self.unit.end(self._plan, is_whole=False)  # a page that was left
        self._picture = None
        request = self.request()
        plan = self._plan = self.unit.plan(request)
        self.frame_actions = ALL_ACTIONS if request.is_fed else Pixma.frame_actions
        self._page = self._page + 1 if self._is_job and request.is_fed else 0
        if not self._page:
            self.unit.end_job()
            if self.button_controlled:
                self._await_button()
        self._is_job, self._has_ended = True, False
        self.unit.begin(plan, self._page)
        self._picture = picture_of(plan)

    def _await_button(self) -> None:
        """Wait until somebody presses a button; the second one cancels."""
        pressed: list[int] = []

        def note(event: Event) -> None:
            self.take_event(event)
            pressed.append(event.button)

        self.unit.drain()
        self.unit.on_event = note
        try:
            while not any(pressed):
                self.unit.hear(BUTTON_SECONDS)
        finally:
            self.unit.on_event = self.take_event
        if next(filter(None, pressed)) == 2:
            raise errors.Cancelled("cancelled by a button of the scanner")

    def read_into(self, view: memoryview) -> int:
        picture = self._picture
        if picture is None:
            return 0
        while not (n := picture.read_into(view)) and not picture.is_done:
            self._receive(picture)
        return n

    def _receive(self, picture: Picture) -> None:
        """Receive some of the page, and its end."""
        if self.unit.receive(picture):
            self._has_ended = True
            picture.end()

    def frame_ended(self) -> None:
        """Hear the page out, so that the scanner is free, or ready for the next sheet."""
        plan, picture = self._plan, self._picture
        assert plan is not None
        assert picture is not None
        try:
            while not self._has_ended:
                self._receive(picture)
            self._picture = None
            self.unit.end(plan, is_whole=True)
        except errors.Cancelled:
            return  # finish() does the rest
        except (errors.SaneError, OSError) as exc:
            self.debug(1, "after the last line: %s", exc)
            self.unit.end(plan, is_whole=False)

    def finish(self, aborted: bool) -> None:
        plan, self._picture = self._plan, None
        self._page, self._is_job = 0, False
        if plan is not None:
            self.unit.end(plan, is_whole=False)
        self.unit.end_job()

    def close(self) -> None:
        self.unit.close()

    # Buttons

    def ask_buttons(self) -> None:
        from time import monotonic

        now = monotonic()
        if self.options.is_reading or now - self._asked_at < FRESH_SECONDS:
            return
        self.unit.drain()
        self._asked_at = monotonic()
