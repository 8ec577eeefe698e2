"""ScannerCapabilities of an emulated scanner as XML, also in the odd forms that devices have.

Source: specification escl, sections 3.1, 3.2 and 8.2.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from .model import Model, Profile, Range, Source

SCAN = "http://schemas.hp.com/imaging/escl/2011/05/03"
PWG = "http://www.pwg.org/schemas/2010/12/sm"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACES = f'xmlns:pwg="{PWG}" xmlns:scan="{SCAN}"'

# How elements name their namespace.
PREFIXES = ("usual", "other", "default")


@dataclass
class Writing:
    """How the document is written; the document is what devices write when all is as given here.

    verbatim: sent instead. replaced: pairs of texts, the first by the second, everywhere. prefixes:
    one of PREFIXES. doctype: stands behind the XML declaration. pad_bytes: of blanks in front of
    the end. depth: so deep is one element nested. encoding: "utf-8", "utf-8-sig" or "utf-16".
    """

    verbatim: bytes | None = None
    replaced: Sequence[tuple[str, str]] = ()
    prefixes: str = "usual"
    doctype: str = ""
    pad_bytes: int = 0
    depth: int = 0
    encoding: str = "utf-8"
    is_gzip: bool = False  # only if the host offers to take it

    def document(self, text: str) -> bytes:
        """Return *text*, in the usual form, as this says."""
        if self.verbatim is not None:
            return self.verbatim
        if self.prefixes == "other":
            text = text.replace("scan:", "e:").replace("xmlns:scan", "xmlns:e")
            text = text.replace("pwg:", "sm:").replace("xmlns:pwg", "xmlns:sm")
        elif self.prefixes == "default":
            text = (
                text.replace("<scan:", "<").replace("</scan:", "</").replace("xmlns:scan", "xmlns")
            )
        for old, new in self.replaced:
            text = text.replace(old, new)
        head, _, rest = text.partition("?>\n")
        body, slash, end = rest.rpartition("</")
        body += "<scan:Deep>" * self.depth + "</scan:Deep>" * self.depth + " " * self.pad_bytes
        text = f"{head}?>\n{self.doctype}{body}{slash}{end}"
        if self.encoding == "utf-16":
            text = text.replace('encoding="UTF-8"', 'encoding="UTF-16"')
        return text.encode(self.encoding)

    def packed(self, data: bytes, accepted: str) -> tuple[bytes, str]:
        """Return *data* as sent and its Content-Encoding; *accepted* is what the host takes."""
        if self.is_gzip and "gzip" in accepted:
            return gzip.compress(data, mtime=0), "gzip"
        return data, ""


def element(name: str, content: object, attributes: str = "") -> str:
    """Return an element whose content is text."""
    return f"<{name}{attributes}>{escape(str(content))}</{name}>"


def parent(name: str, *children: str, attributes: str = "") -> str:
    """Return an element whose content is *children*, written already; "" if there are none."""
    inner = "".join(children)
    return f"<{name}{attributes}>{inner}</{name}>" if inner else ""


def each(name: str, values: Iterable[object]) -> str:
    """Return an element for each of *values*."""
    return "".join(element(name, value) for value in values)


def document(model: Model, base: str) -> str:
    """Return the capabilities in their usual form; *base* is the URL of the service's root."""
    shared = [
        profile
        for source in (model.platen, model.adf, model.duplex)
        for profile in (source.profiles if source else ())
        if profile.ref
    ]
    unique = {profile.ref: profile for profile in shared}
    return "".join(
        (
            HEAD,
            f"<scan:ScannerCapabilities {NAMESPACES}>\n",
            _names(model, base),
            parent(
                "scan:SettingProfiles",
                *(_profile(p, model, name=ref) for ref, p in unique.items()),
            ),
            parent("scan:Platen", _source("scan:PlatenInputCaps", model.platen, model)),
            _feeder(model),
            *(_range(f"scan:{name}Support", r) for name, r in model.ranges.items()),
            _detection(model),
            model.extra,
            "</scan:ScannerCapabilities>\n",
        )
    )


def _names(model: Model, base: str) -> str:
    certified = [
        parent(
            "scan:Certification",
            element("scan:Name", name),
            element("scan:Version", version),
        )
        for name, version in model.certifications
    ]
    prefix = model.manufacturer_prefix
    return "".join(
        (
            element("pwg:Version", model.version),
            element("pwg:MakeAndModel", model.name),
            element(f"{prefix}Manufacturer", model.manufacturer) if model.manufacturer else "",
            element("pwg:SerialNumber", model.serial) if model.serial else "",
            element("scan:UUID", model.uuid) if model.uuid else "",
            element("scan:AdminURI", base) if model.has_urls else "",
            element("scan:IconURI", f"{base}ScannerIcon") if model.has_urls else "",
            parent("scan:Certifications", *certified),
        )
    )


def _feeder(model: Model) -> str:
    justified = ""
    if model.justification is not None:
        prefix = model.justification_prefix
        x, y = model.justification
        justified = parent(
            "scan:Justification",
            element(f"{prefix}XImagePosition", x),
            element(f"{prefix}YImagePosition", y),
        )
    if not model.has_feeder:
        return ""
    options = each("scan:AdfOption", model.adf_options)
    return parent(
        "scan:Adf",
        _source("scan:AdfSimplexInputCaps", model.adf, model),
        _source("scan:AdfDuplexInputCaps", model.duplex, model),
        element("scan:FeederCapacity", model.feeder_capacity),
        parent("scan:AdfOptions", options),
        justified,
    )


def _detection(model: Model) -> str:
    if model.blank_page_detection is None:
        return ""
    text = "true" if model.blank_page_detection else "false"
    return element("scan:BlankPageDetectionAndRemoval", text)


def _source(name: str, source: Source | None, model: Model) -> str:
    if source is None:
        return ""
    limits = zip(
        ("MinWidth", "MaxWidth", "MinHeight", "MaxHeight"),
        (source.min_width, source.max_width, source.min_height, source.max_height),
        strict=True,
    )
    names = ("RiskyLeftMargin", "RiskyRightMargin", "RiskyTopMargin", "RiskyBottomMargin")
    return parent(
        name,
        *(element(f"scan:{tag}", value) for tag, value in limits),
        element("scan:MaxScanRegions", 1),
        parent("scan:SettingProfiles", *(_profile(p, model) for p in source.profiles)),
        parent("scan:SupportedIntents", each(f"scan:{source.intent_tag}", source.intents)),
        element("scan:MaxOpticalXResolution", source.optical),
        element("scan:MaxOpticalYResolution", source.optical),
        *(element(f"scan:{tag}", v) for tag, v in zip(names, source.margins, strict=False)),
        element("scan:MaxPhysicalWidth", source.max_width),
        element("scan:MaxPhysicalHeight", source.max_height),
        parent("scan:EdgeAutoDetection", each("scan:SupportedEdge", source.edges)),
        _directions(source),
        source.extra,
    )


def _directions(source: Source) -> str:
    found = each("scan:FeedDirection", source.feed_directions)
    if source.nests_feed_directions:  # as Kyocera does
        found = parent("scan:FeedDirections", found)
    return parent("scan:FeedDirections", found)


def _profile(profile: Profile, model: Model, name: str = "") -> str:
    """Return a profile: the shared one of *name*, a reference to one, or itself."""
    if profile.ref and not name:
        return f'<scan:SettingProfile ref="{escape(profile.ref)}"/>'
    name = name or profile.name
    ext = profile.formats_ext
    if ext is None:
        ext = profile.formats if model.has_ext else ()
    return parent(
        "scan:SettingProfile",
        parent("scan:ColorModes", each("scan:ColorMode", profile.modes)),
        parent("scan:ContentTypes", each("pwg:ContentType", profile.content_types)),
        parent(
            "scan:DocumentFormats",
            each("pwg:DocumentFormat", profile.formats),
            each("scan:DocumentFormatExt", ext),
        ),
        _resolutions(profile),
        parent("scan:ColorSpaces", each("scan:ColorSpace", profile.color_spaces)),
        attributes=f' name="{escape(name)}"' if name else "",
    )


def _resolutions(profile: Profile) -> str:
    """Return the resolutions in the syntax of *profile*."""
    name, syntax = "scan:SupportedResolutions", profile.syntax
    if syntax == "by-mode":
        return "".join(
            parent(name, element("scan:ColorMode", mode), _discrete(profile))
            for mode in profile.modes
        )
    if syntax == "discrete":
        return parent(name, _discrete(profile))
    ranges = _ranges(profile)
    if syntax == "range-flat":
        return parent(name, ranges)
    if syntax == "range-empty":
        return parent(name, "<scan:ResolutionRange/>", ranges)
    listed = _discrete(profile) if syntax == "both" else ""
    return parent(name, listed, parent("scan:ResolutionRange", ranges))


def _pairs(profile: Profile) -> list[tuple[int, int]]:
    return [pair if isinstance(pair, tuple) else (pair, pair) for pair in profile.resolutions]


def _discrete(profile: Profile) -> str:
    return parent(
        "scan:DiscreteResolutions",
        *(
            parent(
                "scan:DiscreteResolution",
                element("scan:XResolution", x),
                element("scan:YResolution", y),
            )
            for x, y in _pairs(profile)
        ),
    )


def _ranges(profile: Profile) -> str:
    first, *_, last = _pairs(profile)
    found = ""
    for axis, low, high in zip("XY", first, last, strict=True):
        normal = max(low, min(300, high))
        found += _range(f"scan:{axis}ResolutionRange", Range(low, high, normal))
    return found


def _range(name: str, values: Range) -> str:
    prefix = values.prefix
    told = (("Min", values.low), ("Max", values.high), ("Normal", values.normal))
    return parent(
        name,
        *(
            element(f"{prefix}{tag}", v)
            for tag, v in (*told, ("Step", values.step))
            if v is not None
        ),
    )
