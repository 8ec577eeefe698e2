"""Which scanners have which options, and the options as one scanner has them.

Source: specification fujitsu 5, the columns "present" and "constraint".
"""

from __future__ import annotations

from ...backend import CAP_INACTIVE
from . import modepages as pages
from .capabilities import COLOR
from .options import FujitsuOptions
from .settings import JPEG, NONE, Settings
from .window import DTC_OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .capabilities import Capabilities


# Which scanners have an option; the others' is inactive and of no use.
PRESENT: dict[str, Any] = {
    **dict.fromkeys(("page_width", "page_height"), lambda c: c.has_feeder or c.has_card),
    "brightness": lambda c: c.brightness_steps or c.can_take_gamma,
    "contrast": lambda c: c.contrast_steps or c.can_take_gamma,
    **dict.fromkeys(("gamma", "awd"), lambda c: False),
    "threshold": lambda c: c.threshold_steps,
    "rif": lambda c: c.has_rif,
    "ht_type": lambda c: c.can_diffuse,
    "ht_pattern": lambda c: c.dithers,
    "outline": lambda c: c.has_outline,
    "emphasis": lambda c: c.has_emphasis,
    "separation": lambda c: c.has_separation,
    "mirroring": lambda c: c.has_mirroring,
    "wl_follow": lambda c: c.has_white_follower,
    **dict.fromkeys(DTC_OPTIONS, lambda c: c.has_dtc),
    "variance": lambda c: c.has_sdtc,
    "ald": lambda c: pages.AUTO in c.usable,
    **dict.fromkeys(("compression", "compression_arg"), lambda c: c.has_jpeg),
    **dict.fromkeys(
        ("df_action", "df_skew", "df_thickness", "df_length", "df_diff"),
        lambda c: pages.DOUBLE_FEED in c.usable,
    ),
    "df_recovery": lambda c: pages.DOUBLE_FEED in c.usable and c.can_recover,
    "paper_protect": lambda c: pages.DOUBLE_FEED in c.usable and c.can_protect,
    "adv_paper_protect": lambda c: pages.DOUBLE_FEED in c.usable and c.can_protect_more,
    "staple_detect": lambda c: pages.DOUBLE_FEED in c.usable and c.finds_staples,
    "bgcolor": lambda c: pages.BACKGROUND in c.usable,
    "dropoutcolor": lambda c: (
        pages.DROPOUT in c.usable or c.quirks.is_m3091 or c.quirks.software_modes
    ),
    "buffermode": lambda c: pages.BUFFER in c.usable,
    "prepick": lambda c: pages.PREPICK in c.usable,
    "overscan": lambda c: pages.AUTO in c.usable and (c.overscan_x or c.overscan_y),
    "sleeptimer": lambda c: pages.SLEEP in c.usable,
    "offtimer": lambda c: c.has_off_timer,
    **dict.fromkeys(("duplexoffset", "greenoffset", "blueoffset"), lambda c: c.quirks.is_m3091),
    "hwdeskewcrop": lambda c: c.can_crop,
    "halt_on_cancel": lambda c: c.can_halt,
    **dict.fromkeys(
        ("endorser", "endorser_val", "endorser_step", "endorser_y", "endorser_dir"),
        lambda c: c.has_endorser,
    ),
    "endorser_string": lambda c: c.has_endorser,
    "endorser_bits": lambda c: c.has_endorser and c.endorser_type,
    "endorser_font": lambda c: c.has_endorser and c.endorser_type == 2,
    "endorser_side": lambda c: c.front_endorser and c.back_endorser,
    **dict.fromkeys(
        ("top_edge", "page_loaded", "cover_open", "email", "scan", "function", "double_feed"),
        lambda c: c.tells_status or c.quirks.is_m3091,
    ),
    **dict.fromkeys(
        ("a3_paper", "b4_paper", "a4_paper", "b5_paper", "omr_df", "power_save", "manual_feed"),
        lambda c: c.tells_status,
    ),
    **dict.fromkeys(("error_code", "skew_angle"), lambda c: c.tells_status),
    "card_loaded": lambda c: c.tells_status and c.has_card,
    **dict.fromkeys(("ink_low", "ink_remain"), lambda c: c.tells_status and c.has_endorser),
    **dict.fromkeys(("duplex", "density"), lambda c: c.quirks.is_m3091),
}
STRING_BYTES = (40, 60, 80)  # by type of endorser


def options_for(base: type[FujitsuOptions], capabilities: Capabilities) -> Any:
    """Return *base* with the options as this scanner has them: texts, sizes, and those it lacks."""
    own: dict[str, Any] = {"__module__": base.__module__}
    for name, is_present in PRESENT.items():
        if not is_present(capabilities):
            absent = getattr(base, name).clone()
            absent.cap, absent.active, absent.depends = CAP_INACTIVE, None, ()
            absent.constraint_hook = absent.get_hook = absent.changed_hook = None
            own[name] = absent
    texts = {"source": capabilities.sources, "mode": capabilities.all_modes}
    if capabilities.has_jpeg:
        texts["compression"] = (NONE, JPEG)
        own["encoded"] = ("image/jpeg",)
    for name, values in texts.items():
        option = getattr(base, name).clone()
        option.constraint, option.default = values, values[0]
        option.size = 1 + max(map(len, values))
        own[name] = option
    if capabilities.has_endorser:
        string = own["endorser_string"] = base.endorser_string.clone()
        string.size = 1 + STRING_BYTES[min(capabilities.endorser_type, 2)]
    return type(base.__name__, (base,), own)


def preset(capabilities: Capabilities) -> Settings:
    """Return the settings with which the orders of colours are tried: as preset, in colour."""
    device = options_for(FujitsuOptions, capabilities)()
    device.prepare(capabilities)
    device.mode = COLOR
    device.settle_options()
    return Settings(device, capabilities)
