"""The carriage of an emulated flatbed: where it is, what it runs into, how long a move takes.

Time passes as the host asks whether a move is over, so that no test waits for a motor. A real one
takes seconds; how fast it was told to go is in the registers, and guard.py judges it.
"""

from __future__ import annotations

POLLS = 3  # how often a host asks until a move is over


class Motor:
    """The carriage between the home sensor at 0 and the stop behind the bed, in full steps.

    stuck_at: where something is in its way, None: nothing. pushes: how often it was driven against
    that, or against a stop.
    """

    def __init__(self, stop: int) -> None:
        self.stop = stop
        self.stuck_at: float | None = None
        self.pushes = 0
        self._place = 0.0
        self._target: float | None = None  # of a move under way
        self._polls = 0

    @property
    def is_moving(self) -> bool:
        """Whether a move is under way."""
        return self._target is not None

    @property
    def place(self) -> float:
        """Where the carriage is while a move may be under way."""
        if self._target is None:
            return self._place
        done = (POLLS - self._polls) / POLLS
        return self._place + (self._reachable(self._target) - self._place) * done

    def put(self, place: float) -> None:
        """Put the carriage somewhere; a move under way is forgotten.

        Raises ValueError for a place beyond the stops.
        """
        if not 0 <= place <= self.stop:
            raise ValueError(f"the carriage cannot be at {place:.0f} of 0 to {self.stop} steps")
        self._place, self._target = place, None

    def go(self, target: float) -> float:
        """Begin a move; return how many steps lie beyond a stop, 0: none."""
        self.halt()
        beyond = max(0.0, target - self.stop, -target)
        self._target = min(max(target, 0.0), float(self.stop))
        self._polls = POLLS
        return beyond

    def drive(self, steps: float) -> float:
        """Move at once, as a scan does from line to line; return the steps beyond the stop."""
        target = self._place + steps
        beyond = max(0.0, target - self.stop)
        self._place = self._reachable(min(target, float(self.stop)))
        return beyond

    def poll(self, ends_at_home: bool) -> bool:
        """Let time pass; return whether the move is over.

        ends_at_home: by the home sensor, not by a count of steps.
        """
        if self._target is None:
            return True
        self._polls = max(0, self._polls - 1)
        return not self._polls and self.ends(ends_at_home)

    def ends(self, ends_at_home: bool) -> bool:
        """Let time pass until the carriage rests; return whether the move is over, too."""
        if self._target is None:
            return True
        self._polls = 0
        if ends_at_home and self._reachable(0.0):
            return False
        self.put(self._reachable(self._target))
        return True

    def halt(self) -> None:
        """Stop where the carriage is."""
        self.put(self.place)

    def _reachable(self, target: float) -> float:
        """Return how far the carriage gets on its way to *target*."""
        wall = self.stuck_at
        if wall is None:
            return target
        if self._place <= wall < target or self._place >= wall > target:
            self.pushes += 1
            return wall
        return target
