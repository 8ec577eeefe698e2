"""Where options of ESC/I scanners answer differently from the framework, as the original does."""

from __future__ import annotations

from ...backend import INFO_RELOAD_OPTIONS, INFO_RELOAD_PARAMS, Handle
from ...handle import DIRECT_SET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...option import Option
    from .options import EpsonOptions


class EpsonHandle(Handle):
    """A SET always takes effect, also of the value that is there; one reload bit means both."""

    device: EpsonOptions

    def direct_access(self, option: Option) -> int:
        return super().direct_access(option) & ~DIRECT_SET

    def store(self, option: Option, data: bytes) -> int:
        info = self.assign(option, data)
        if option.attribute == "halftoning" and self.device.halftoning == "None":
            info |= INFO_RELOAD_OPTIONS  # told each time, whether the threshold was there or not
        if info & INFO_RELOAD_OPTIONS:
            info |= INFO_RELOAD_PARAMS
        return info
