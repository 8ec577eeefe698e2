"""The sheet in an emulated sheet-fed unit: put in when the host waits for it, out by the rollers.

Source: specification plustek 3.13, 8.2 (15).
"""

from __future__ import annotations

WAITED = 20  # polls in a row: the host waits for a sheet
LEAVES = 3  # polls that a sheet takes to leave


class Sheets:
    """bit: of register 02, that tells of a sheet; 0: a flatbed. left: sheets that are to come.

    is_in: a sheet is in the unit.
    """

    def __init__(self, bit: int) -> None:
        self.bit = bit
        self.left = 1000
        self.is_in = False
        self._polls = 0

    def told(self) -> None:
        """Take note of a command of the host that is no poll."""
        self._polls = 0

    def polled(self, *, is_running: bool) -> bool:
        """Take note that the host asks for the sheet; return whether a new one comes."""
        self._polls += 1
        if self.is_in:
            self.is_in = not (is_running and self._polls > LEAVES)
            return False
        if is_running or self._polls < WAITED or not self.left:
            return False
        self.left -= 1
        self.is_in = True
        return True
