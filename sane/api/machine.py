"""An open device and what is known of it, without the object that programs hold.

Threads that scan hold this one, so that a Scanner that is dropped is closed while they work. It
knows Turns, Frames and Controls; it knows neither options by words nor pages.
"""

from __future__ import annotations

from ..authorization import asking
from ..const import TYPE_GROUP
from ..controls import Controls
from ..errors import Closed
from ..scanner import Frames, Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event
    from typing import Any

    from ..authorization import Auth
    from ..controls import Row
    from ..handle import Handle
    from ..listed import DeviceInfo

NEAREST = 3  # options that are named when there is none of the name that was asked for


class Machine:
    """One open device: handle, turns at it, controls (its options by number), name and info.

    auth: asked for passwords in calls of this device, None for whoever is asked otherwise.
    waits_in_c: see Device.
    """

    def __init__(self, handle: Handle, info: DeviceInfo, auth: Auth | None) -> None:
        """Look at the options; closes *handle* if that fails."""
        self.handle = handle
        self.info = info
        self.name = info.name
        self.waits_in_c: bool = handle.device.waits_in_c
        self.turns = Turns(handle)
        self.call: Callable[..., Any] = self.turns.call
        if auth is not None:
            self.call = asking(auth, self.call)
        self.controls = Controls(handle, self.call)
        self._waits: set[Event] = set()
        self._rows: list[Row] | None = None
        try:
            self._rows = self.controls.rows()
        except BaseException:
            handle.close()
            raise

    def frames(self) -> Frames:
        """Return what reads the frames of a new job, which has not begun."""
        return Frames(self.handle, self.turns, self.call)

    # Options

    def all_rows(self) -> list[Row]:
        """Return the descriptors, as they are until an option says that others have changed."""
        if self.turns.is_closed:
            raise Closed("the scanner is closed", device=self.name)
        rows = self._rows
        if rows is None:
            rows = self._rows = self.controls.rows()
        return rows

    def rows(self) -> dict[str, Row]:
        """Return the descriptors by name, without groups and the number of options."""
        return {row[1]: row for row in self.all_rows() if row[1] and row[4] != TYPE_GROUP}

    def reload(self) -> None:
        """Look at the options anew when somebody asks for them."""
        self._rows = None

    def no_option(self, name: str) -> str:
        """Return what to say of a *name* that is no option."""
        from difflib import get_close_matches

        near = get_close_matches(name.replace("_", "-"), self.rows(), NEAREST)
        hint = f"; it has {', '.join(near)}" if near else ""
        return f"{self.name} has no option {name!r}{hint}"

    # Cancel

    def cancel(self, *, attends: bool = True) -> None:
        """End the job, and waits for buttons; attends: see Turns.cancel."""
        self.turns.cancel(attends=attends)
        self.wake()

    def begin_wait(self) -> Event:
        """Return an event that a cancel or a close sets; end_wait() it."""
        import threading

        event = threading.Event()
        self._waits.add(event)
        return event

    def end_wait(self, event: Event) -> None:
        """Note that nobody waits for *event* any more."""
        self._waits.discard(event)

    def wake(self) -> None:
        """Set the events of all who wait."""
        for event in tuple(self._waits):
            event.set()
