"""The sheets of a document feeder: when one is drawn in, which side comes next, when it goes out.

It knows no device: it calls what a driver gives it, and keeps what was begun.

               next_page                next_page (last side)
    EMPTY ----------------> LOADED -------------------------> LOADED, the next sheet
      ^     NoDocs: stays     |
      +------ finish, load failed: the sheet goes out
"""

from __future__ import annotations

from .errors import NoDocs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FRONT, BACK = "front", "back"


class Feeder:
    """One sheet after the other, and the sides of each.

    load: draws in a sheet; raises NoDocs without one. eject: moves it out. has_paper: tells
    whether one lies ready, by default load finds out. Their waits are theirs: one that never ends
    is ended by cancel or its own limit. Whatever load raises, a sheet may be on its way, except
    after NoDocs: finish moves it out.
    """

    def __init__(
        self,
        load: Callable[[], object],
        eject: Callable[[], object],
        has_paper: Callable[[], bool] | None = None,
    ) -> None:
        self._load = load
        self._eject = eject
        self._has_paper = has_paper
        self._left: list[str] = []  # sides of the sheet inside that were not asked for
        self.is_loaded = False

    def next_page(self, sides: Sequence[str] = (FRONT,)) -> str:
        """Return the side that comes next; the sheet before it is out and its own is in.

        sides: what is scanned of a sheet, in the order in which the device delivers them; looked
        at when a sheet begins. Raises NoDocs when there is none. Call it in Device.start.
        """
        if self._left:
            return self._left.pop(0)
        if not sides:
            raise ValueError("a sheet without a side")
        self.eject()
        if self._has_paper is not None and not self._has_paper():
            raise NoDocs("the feeder is empty")
        self.is_loaded = True  # in part, perhaps, when load fails
        try:
            self._load()
        except NoDocs:
            self.is_loaded = False
            raise
        first, *self._left = sides
        return first

    def eject(self) -> None:
        """Move the sheet out, if there is one, once: a failure is not tried again."""
        self._left = []
        if self.is_loaded:
            self.is_loaded = False
            self._eject()

    finish = eject
    """What Device.finish calls: sides that were not scanned are given up with their sheet."""
