"""The line buffer of the chip: what the carriage has passed and the host has not fetched.

When the buffer is full to the pause limit, the motor stops and goes back; it starts again when the
host has emptied the buffer to the resume limit. What the pixels of a line are is computed when it
is fetched, and the time that a fetch needs is taken as waited for.

Source: specification plustek 2 (registers 4e to 54), 3.5.7 (buffer and travel limits).
"""

from __future__ import annotations

from .glass import Glass
from .motor import Motor
from .optics import Optics
from .setup import Setup

KIB = 1024
UNITS = 256  # in which the limits count the memory
RESTART = 0.1  # seconds for the way back and the start


class Fifo:
    """The lines of one scan; pauses: how often the motor stopped and went back."""

    def __init__(self, setup: Setup, optics: Optics, glass: Glass, motor: Motor, room: int) -> None:
        self.setup = setup
        self.pauses = 0
        self._optics = optics
        self._glass = glass
        self._motor = motor
        self._room = room * KIB
        self._start = motor.place
        self._made = self._fetched = 0  # lines
        self._over = 0.0  # seconds of the line that is being made
        self._is_paused = False
        self._bytes = bytearray()

    @property
    def level(self) -> int:
        """Bytes in the buffer."""
        return (self._made - self._fetched) * self.setup.line_bytes + len(self._bytes)

    @property
    def is_over(self) -> bool:
        """Whether the carriage has gone as far as the host allowed."""
        setup = self.setup
        return bool(setup.most and setup.has_motor and self._made * setup.advance > setup.most)

    def run(self, seconds: float, pause: int, resume: int) -> str:
        """Let time pass in which the host does something else; return what went wrong.

        pause, resume: the limits in bytes, as the host may change them in mid-scan.
        """
        self._over += seconds
        while self._over >= self.setup.seconds and not self.is_over:
            if self._is_paused and self.level > resume:
                self._over = 0.0
                break
            if self._is_paused:
                self._is_paused = False
                self._over -= RESTART
                continue
            self._over -= self.setup.seconds
            why = self._make()
            if why:
                return why
            if self.level > self._room:
                return f"the buffer overruns in line {self._made}: it has {self._room} bytes"
            if pause and self.level >= pause:
                self._is_paused = True
                self.pauses += self.setup.has_motor
        return ""

    def take(self, size: int) -> tuple[bytes, str]:
        """Return the next *size* bytes, and what went wrong on the way to them."""
        why = ""
        while len(self._bytes) < size and not why:
            if self._made == self._fetched:
                why = self._wait()
                if why:
                    break
            setup = self.setup
            place = self._start + self._fetched * setup.advance
            planes = self._glass.look_down(self._seen_from(place), setup.first, setup.end)
            self._bytes += self._optics.line(self._fetched, planes)
            self._fetched += 1
        data = bytes(self._bytes[:size])
        del self._bytes[:size]
        return data, why

    def _wait(self) -> str:
        """Let the line be made that the host waits for."""
        if self.is_over:
            most = self.setup.most
            return f"line {self._made} is read, but 4c/4d end the scan after {most} steps"
        self._is_paused = False
        self._over = 0.0
        return self._make()

    def _make(self) -> str:
        self._made += 1
        if self._motor.drive(self.setup.advance):
            return f"the carriage hits the far stop in line {self._made}"
        return ""

    def _seen_from(self, place: float) -> float:
        """Return where the carriage really is at a line: something may be in its way."""
        wall = self._motor.stuck_at
        if wall is not None and self._start <= wall < place:
            return wall
        return place
