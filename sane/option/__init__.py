"""Options as a driver declares them: the kinds, and those that frontends know by name."""

from __future__ import annotations

from .kinds import (
    WORD_SIZE,
    Bool,
    Button,
    Count,
    Fixed,
    Group,
    Int,
    Option,
    OptionSet,
    Range,
    String,
    When,
    WordRange,
    when,
    words_bytes,
)
from .standard import (
    GammaTables,
    ScanArea,
    corner,
    depth,
    gamma_tables,
    latched,
    mode,
    preview,
    resolution,
    scan_area,
    source,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .kinds import Condition

__all__ = [
    "WORD_SIZE",
    "Bool",
    "Button",
    "Condition",
    "Count",
    "Fixed",
    "GammaTables",
    "Group",
    "Int",
    "Option",
    "OptionSet",
    "Range",
    "ScanArea",
    "String",
    "When",
    "WordRange",
    "corner",
    "depth",
    "gamma_tables",
    "latched",
    "mode",
    "preview",
    "resolution",
    "scan_area",
    "source",
    "when",
    "words_bytes",
]
