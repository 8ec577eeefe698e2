"""The sixteen options of an ESC/I-2 scanner, and what hangs on them.

It knows capabilities and values; it does not talk to the scanner. Names, order, constraints and
defaults are those of the original backend of this name. Source: specification esci 4.8.
"""

from __future__ import annotations

from ...backend import (
    CAP_ADVANCED,
    INFO_RELOAD_OPTIONS,
    INFO_RELOAD_PARAMS,
    Device,
    Range,
    option,
)
from ...option import Bool, Button, Group, corner
from ...param import fix
from .parameters import COLOR, GRAY, LINEART

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .capabilities import Bed, Capabilities

BOTH = INFO_RELOAD_OPTIONS | INFO_RELOAD_PARAMS
ANY_RANGE = Range(0, 100)  # until the capabilities are known


class EpsonOptions(Device):
    """The options; capabilities are those of the scanner at hand."""

    may_raise_sigpipe = False
    sets_always = True  # and tells what to reload
    capabilities: Capabilities

    standard_group = Group("Standard")
    standard_group.name = "standard"  # the one group that the original names
    source = option.source("Flatbed", reloads=BOTH)  # with_sources() has the real ones
    mode = option.mode(LINEART, GRAY, COLOR, default=COLOR, reloads=BOTH)
    depth = option.depth(
        1, 8, default=8, reloads=BOTH, active=lambda d: d.mode != LINEART, depends=("mode",)
    )
    resolution = option.resolution(0, reloads=BOTH)

    geometry_group = Group("Geometry", cap=CAP_ADVANCED)
    tl_x = corner("Top-left x", ANY_RANGE, 0, None)
    tl_y = corner("Top-left y", ANY_RANGE, 0, None)
    br_x = corner("Bottom-right x", ANY_RANGE, 0, None)
    br_y = corner("Bottom-right y", ANY_RANGE, 0, None)

    equipment_group = Group("Optional equipment", cap=CAP_ADVANCED)
    eject = Button(
        "Eject", "Eject the sheet in the feeder.", active=lambda d: "EJCT" in d.capabilities.can
    )
    load = Button(
        "Load", "Load a sheet into the feeder.", active=lambda d: "LOAD" in d.capabilities.can
    )
    adf_skew = Bool(
        "ADF Skew Correction",
        "Let the scanner straighten sheets that were fed askew.",
        reloads=BOTH,
        active=lambda d: "SKEW" in d.capabilities.can,
    )
    adf_crp = Bool(
        "ADF CRP Correction",
        "Let the scanner cut the image to the size of the sheet; changing the area ends it.",
        reloads=BOTH,
        active=lambda d: "CRP" in d.capabilities.can,
    )

    def prepare(self, capabilities: Capabilities) -> None:
        """Preset everything as the scanner allows it."""
        self.capabilities = capabilities
        self._bed = capabilities.bed(self.source)
        self.br_x, self.br_y = self._bed.width, self._bed.height
        found = capabilities.resolutions
        self.resolution = found[0] if isinstance(found, tuple) else found.min

    @property
    def scan_mode(self) -> str:
        """What is really scanned: gray of one bit is line art."""
        return LINEART if self.mode == GRAY and self.depth == 1 else self.mode

    def move(self, action: str) -> None:
        """Let the feeder do something; the buttons ask for it."""
        raise NotImplementedError

    @eject.changed
    def _eject(self) -> None:
        self.move("#ADFEJCT")

    @load.changed
    def _load(self) -> None:
        self.move("#ADFLOAD")

    @depth.constrained("mode")
    def _depths(self) -> tuple[int, ...]:
        return (8,) if self.mode == COLOR else (1, 8)

    @resolution.constrained()
    def _resolutions(self) -> Range | tuple[int, ...]:
        return self.capabilities.resolutions

    @tl_x.constrained("source")
    def _x_limits(self) -> Range:
        return Range(0, self.capabilities.bed(self.source).width)

    @tl_y.constrained("source")
    def _y_limits(self) -> Range:
        return Range(0, self.capabilities.bed(self.source).height)

    br_x.constrained("source")(_x_limits)
    br_y.constrained("source")(_y_limits)

    def _source_changed(self) -> None:
        """Select all of the new bed if all of the old one was selected."""
        old, self._bed = self._bed, self.capabilities.bed(self.source)
        if self._covers(old):
            self.br_x, self.br_y = self._bed.width, self._bed.height

    def _covers(self, bed: Bed) -> bool:
        corners = (self.tl_x, self.tl_y, self.br_x, self.br_y)
        return [fix(value) for value in corners] == [0, 0, fix(bed.width), fix(bed.height)]

    def _area_changed(self) -> None:
        """The frontend wants this very area: the scanner is not to cut it."""
        self.adf_crp = False

    for _corner in (tl_x, tl_y, br_x, br_y):
        _corner.changed(_area_changed)
    del _corner


def with_sources(base: type[EpsonOptions], sources: tuple[str, ...]) -> Any:
    """Return *base* with the option source that has these values: its size depends on them."""
    source = option.source(*sources, reloads=BOTH)
    source.changed(EpsonOptions._source_changed)
    return type(base.__name__, (base,), {"source": source, "__module__": base.__module__})
