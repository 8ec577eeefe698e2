"""Buttons of scanners: a press becomes an event, and starts the profile that is meant for it.

While somebody looks at the page, sensors (paper in the feeder) are asked here as well, seldom. Once
a second each scanner that is idle and has buttons is asked; the worker opens it for at most
0.2 s, so other programs hardly meet it, and those of our library wait. Drivers that move or
calibrate when they are opened have no buttons here (their ``poll_buttons`` is False), nor have C
backends, of which it is not known, unless the configuration says so.
"""

from __future__ import annotations

import asyncio
import re

from .api.problem import ApiError, unexpected
from .jobs.job import Job
from .jobs.wishes import settings_for, steps_of
from .lasting import repeated
from .problems import Busy, ScannerProblem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .config import ButtonSettings
    from .parts import Parts

POLL_SECONDS = 1.0
FAILED_SECONDS = 30.0  # until a scanner that does not answer is asked again
BUSY_SECONDS = 5.0  # while another program has it
SHARE = 0.2  # of the time that a scanner may be open for its buttons


class Buttons:
    """Watches the buttons of all scanners."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._later: dict[str, float] = {}  # when a scanner may be asked again
        self._down: dict[str, set[str]] = {}  # what was pressed when a scanner was last asked

    async def run(self) -> None:
        """Watch until cancelled."""
        await repeated(self._turn, "watching the scanners' buttons", self._parts.log)

    async def _turn(self) -> float:
        """Ask each scanner whose time has come; return the seconds until the next turn."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        self._parts.look()
        for scanner in tuple(self._parts.context.scanners):
            has_buttons = scanner.capabilities.buttons and scanner.poll_buttons
            is_watched = has_buttons or self._parts.events.has_listeners
            if not is_watched or scanner.status.state == "scanning":
                self._down.pop(scanner.id, None)
            elif self._later.get(scanner.id, 0.0) <= begin:
                await self._ask(scanner, loop)
        return max(0.1, begin + POLL_SECONDS - loop.time())

    async def _ask(self, scanner: Any, loop: asyncio.AbstractEventLoop) -> None:
        begin, pause = loop.time(), 0.0
        pressed: list[str] = []
        try:
            pressed = await scanner.poll(buttons=True)
        except Busy:
            pause = BUSY_SECONDS
        except ScannerProblem as exc:
            self._parts.log.debug("%s: its buttons cannot be read: %s", scanner.title, exc)
            pause = FAILED_SECONDS
        except Exception:  # one scanner's trouble is not that of the others
            self._parts.log.exception("%s: its buttons cannot be read", scanner.title)
            pause = FAILED_SECONDS
        took = loop.time() - begin
        if took > POLL_SECONDS * SHARE:  # it is slow to open: others get their share of it
            pause = max(pause, took / SHARE)
        self._later[scanner.id] = loop.time() + pause
        down, self._down[scanner.id] = self._down.get(scanner.id), set(pressed)
        for button in pressed:
            # None: it was pressed before we looked, or during a scan.
            if down is not None and button not in down:
                await self.pressed(scanner, button)

    async def pressed(self, scanner: Any, button: str) -> Job | None:
        """Tell of a press; return the job that it starts, None if it means nothing."""
        meaning = self.meaning(scanner, button)
        told: dict[str, Any] = {"scanner": scanner.id, "button": button}
        job = None
        if meaning is not None:
            told["profile"] = meaning.profile
            try:
                job = self._parts.start(await self._job(scanner, button, meaning))
                told["job"] = job.id
            except ApiError as exc:
                told["error"] = exc.to_dict()
                self._parts.log.warning("%s: button %s: %s", scanner.title, button, exc.text)
            except Exception:  # of ours: this press means nothing, and the next one may
                self._parts.log.exception("%s: button %s", scanner.title, button)
                told["error"] = unexpected().to_dict()
        self._parts.events.publish("button", told)
        return job

    def meaning(self, scanner: Any, button: str) -> ButtonSettings | None:
        """Return the first [[button]] that fits."""
        for each in self._parts.context.settings.button:
            names = (button, button.replace("-", "_"))
            if each.button in names and re.fullmatch(each.device, scanner.device):
                return each
        return None

    async def _job(self, scanner: Any, button: str, meaning: ButtonSettings) -> Job:
        profile = await asyncio.to_thread(self._parts.profiles.find, meaning.profile)
        wish = {key: value for key, value in profile["settings"].items() if key != "scanner"}
        output = profile.get("output", {})
        destination = meaning.destination or profile["destination"]
        deliver = None
        if destination:
            self._parts.deliveries.check(destination)
            deliver = {"destination": destination, **_wanted(output)}
        return Job(
            scanner.id,
            "scan",
            settings_for(wish, scanner.capabilities),
            f"button {button}",
            work=steps_of(profile["work"]),
            deliver=deliver,
            title=profile.get("title", ""),
        )


def _wanted(output: dict[str, Any]) -> dict[str, Any]:
    """Return what a profile says of the file, as a delivery takes it."""
    out: dict[str, Any] = {name: output[name] for name in ("format", "pdfa") if name in output}
    if "ocr" in output:
        out["ocr"] = bool(output["ocr"])
    return out
