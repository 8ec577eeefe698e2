"""The sheets of a document feeder: when one is drawn in, which side comes next, when it goes out.

It knows no device. It calls the functions that a driver gives it, and notes which sheet is inside.

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

    load: draws in a sheet; raises NoDocs if there is none. eject: moves the sheet out. has_paper:
    tells whether a sheet lies ready; without it, load finds out. These three have to limit their
    own waits, or end them by cancel. When load fails, a sheet may be half inside, except after
    NoDocs: finish then calls eject.
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
        """Return the side that comes next; its sheet is inside, and the one before it outside.

        sides: those to scan of each sheet, in the order in which the device delivers them. They
        count when a sheet begins. Raises NoDocs when there is no sheet. Call it in Device.start.
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
        """Move the sheet out, if there is one inside; after a failure it is not tried again."""
        self._left = []
        if self.is_loaded:
            self.is_loaded = False
            self._eject()

    finish = eject
    """What Device.finish calls: sides that were not scanned are given up with their sheet."""
