"""What goes over the REST interface: the schemas that requests are checked by and programs read.

Plain JSON Schema, in the part of it that schema.py knows. Source: OpenAPI 3.1, JSON Schema 2020-12.
"""

from __future__ import annotations

from ..delivery.kinds import FORMATS, KINDS
from ..jobs.wishes import MAX, MODES, PAPERS
from ..profiles import NAME
from ..store.names import TITLE_CHARS
from ..store.records import TURNS
from ..views import SIZES
from .problem import STATUS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Schema = dict[str, Any]

LONGEST_MM = 100_000.0


def ref(name: str) -> Schema:
    """Return a reference to a schema of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def obj(required: str, **properties: Schema) -> Schema:
    """Return the schema of an object; *required*: names, with blanks between."""
    out: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**out, "required": required.split()} if required else out


def listed(name: str) -> Schema:
    """Return the schema of a list of what the schema *name* says."""
    return {"type": "array", "items": ref(name)}


def maybe(schema: Schema) -> Schema:
    """Return *schema*, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def number(least: float, most: float) -> Schema:
    """Return the schema of a number."""
    return {"type": "number", "minimum": least, "maximum": most}


ID: Schema = {"type": "string", "pattern": "^[0-9A-Za-z-]{1,64}$"}
PAGE_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
MOST_PAGES = 1000  # of a document, so that their ids fit into a body
TEXT: Schema = {"type": "string", "maxLength": 1000}
TITLE: Schema = {"type": "string", "maxLength": TITLE_CHARS}
COUNT: Schema = {"type": "integer", "minimum": 0}
YES_NO: Schema = {"type": "boolean"}
MM = number(0, LONGEST_MM)
SOURCE: Schema = {"type": "string", "enum": ["platen", "adf", "adf-duplex"]}
MODE: Schema = {"type": "string", "enum": list(MODES)}
DPI: Schema = {"type": "integer", "minimum": 1, "maximum": 100_000}
DEPTH: Schema = {"type": "integer", "enum": [1, 8, 16]}
PAPER: Schema = {"type": "string", "enum": [*PAPERS, MAX]}
FORMAT: Schema = {"type": "string", "enum": list(FORMATS)}
DESTINATION: Schema = {"type": "string", "minLength": 1, "maxLength": 200}
PROFILE_NAME: Schema = {"type": "string", "pattern": NAME}
PART = number(0, 1)
SETTINGS: dict[str, Schema] = {
    "source": SOURCE,
    "mode": MODE,
    "resolution": DPI,
    "depth": DEPTH,
    "area": ref("Area"),
    "paper": PAPER,
}
OUTPUT: dict[str, Schema] = {"format": FORMAT, "ocr": YES_NO, "pdfa": YES_NO}

SCHEMAS: dict[str, Schema] = {
    "Error": obj(
        "error",
        error={
            **obj(
                "code text",
                code={"type": "string", "enum": list(STATUS)},
                text={"type": "string", "description": "English; the code is for translation"},
                holder={"type": "string", "description": "who has the scanner, if that is known"},
                field={"type": "string", "description": "what in the request is wrong"},
            )
        },
    ),
    "Scanner": obj(
        "id title vendor model type state holder problem feeder",
        id=ID,
        title=TEXT,
        vendor=TEXT,
        model=TEXT,
        type=TEXT,
        state={"type": "string", "enum": ["idle", "scanning", "busy", "unreachable"]},
        holder={"type": "string", "description": "who has it, as simple-scan, pid 4711"},
        problem={"type": "string", "enum": ["", "no-documents", "jammed", "cover-open"]},
        feeder={"type": ["string", "null"], "enum": ["loaded", "empty", "unknown", None]},
    ),
    "Scanners": obj("scanners", scanners=listed("Scanner")),
    "Source": obj(
        "id modes resolutions depths min_width_mm min_height_mm width_mm height_mm",
        id=SOURCE,
        modes={"type": "array", "items": MODE},
        resolutions={"type": "array", "items": DPI},
        depths={"type": "array", "items": DEPTH},
        min_width_mm=MM,
        min_height_mm=MM,
        width_mm=MM,
        height_mm=MM,
    ),
    "Paper": obj("id width_mm height_mm", id=PAPER, width_mm=MM, height_mm=MM),
    "Capabilities": obj(
        "sources papers defaults buttons",
        sources=listed("Source"),
        papers=listed("Paper"),
        defaults=obj(
            "source mode resolution paper", source=SOURCE, mode=MODE, resolution=DPI, paper=PAPER
        ),
        buttons={"type": "array", "items": {"type": "string"}},
    ),
    "Area": obj(
        "left_mm top_mm width_mm height_mm", left_mm=MM, top_mm=MM, width_mm=MM, height_mm=MM
    ),
    "Work": {
        **obj(
            "",
            deskew=YES_NO,
            crop={"anyOf": [YES_NO, {"type": "string", "enum": ["auto"]}, number(0, 100)]},
            blank={"anyOf": [YES_NO, number(0, 100)]},
            rotate={
                "anyOf": [
                    {"type": "integer", "enum": list(TURNS)},
                    {"type": "string", "enum": ["auto"]},
                ]
            },
            white_background=YES_NO,
            despeckle=YES_NO,
            brightness=number(-100, 100),
            contrast=number(-100, 100),
            threshold=number(0, 255),
        ),
        "description": "What is done with each page. blank: pages with less ink, in percent, are"
        " left out. crop: auto, or the margin in mm around the paper.",
    },
    "DeliveryOrder": obj("destination", destination=DESTINATION, **OUTPUT),
    "JobOrder": {
        **obj(
            "scanner",
            scanner=ID,
            kind={"type": "string", "enum": ["scan", "preview"], "default": "scan"},
            **SETTINGS,
            document={**ID, "description": "gets the pages behind its own"},
            replace={**PAGE_ID, "description": "a page of the document, which is scanned again"},
            single={**YES_NO, "description": "one page, although the feeder may have more"},
            title=TITLE,
            profile=PROFILE_NAME,
            work=ref("Work"),
            deliver=ref("DeliveryOrder"),
        ),
        "description": "What is not said is the profile's, else the scanner's default.",
    },
    "Job": obj(
        "id scanner kind state page_number progress document pages skipped error notes",
        id=ID,
        scanner=ID,
        kind={"type": "string", "enum": ["scan", "preview"]},
        state={
            "type": "string",
            "enum": ["waiting", "scanning", "working", "done", "cancelled", "failed"],
        },
        page_number=COUNT,
        progress={"type": ["number", "null"], "description": "of the page, 0 to 1, if known"},
        document={"type": ["string", "null"]},
        pages={"type": "array", "items": ID},
        skipped={**COUNT, "description": "blank pages that were left out"},
        error=maybe(ref("Problem")),
        notes={"type": "array", "items": {"type": "string"}},
        preview={"type": "string"},
    ),
    "Jobs": obj("jobs", jobs=listed("Job")),
    "Crop": {
        **obj("left top width height", left=PART, top=PART, width=PART, height=PART),
        "description": "Parts of the page as it was scanned, before it is turned.",
    },
    "Page": obj(
        "id kind width height dpi mode bytes rotate crop note",
        id=PAGE_ID,
        kind={"type": "string", "enum": ["png", "jpeg"]},
        width=COUNT,
        height=COUNT,
        dpi={"type": "number"},
        mode=MODE,
        bytes=COUNT,
        rotate={"type": "integer", "enum": list(TURNS), "description": "clockwise"},
        crop=maybe(ref("Crop")),
        note={"type": "string", "description": "what was not done with it"},
    ),
    "Delivery": obj(
        "id document destination state attempts error notes result",
        id=ID,
        document=ID,
        destination=DESTINATION,
        state={"type": "string", "enum": ["waiting", "sending", "done", "failed"]},
        attempts=COUNT,
        error={"type": ["string", "null"]},
        notes={"type": "array", "items": {"type": "string"}},
        result={"type": ["string", "null"], "description": "what the destination said"},
    ),
    "Document": obj(
        "id title created changed pages deliveries",
        id=ID,
        title=TITLE,
        created={"type": "string", "format": "date-time"},
        changed={"type": "string", "format": "date-time"},
        pages=listed("Page"),
        deliveries=listed("Delivery"),
    ),
    "Documents": obj("documents", documents=listed("Document")),
    "NewDocument": obj("", title=TITLE),
    "DocumentChange": obj(
        "",
        title=TITLE,
        pages={
            "type": "array",
            "items": PAGE_ID,
            "uniqueItems": True,
            "maxItems": MOST_PAGES,
        },
    ),
    "PageChange": obj("", rotate={"type": "integer", "enum": list(TURNS)}, crop=maybe(ref("Crop"))),
    "Destination": obj(
        "name kind title", name=DESTINATION, kind={"type": "string", "enum": [*KINDS]}, title=TEXT
    ),
    "Destinations": obj("destinations", destinations=listed("Destination")),
    "Settings": obj("", scanner=ID, **SETTINGS),
    "Output": obj("", **OUTPUT),
    "NewProfile": obj(
        "",
        name=PROFILE_NAME,
        settings=ref("Settings"),
        work=ref("Work"),
        output=ref("Output"),
        destination=maybe(DESTINATION),
        title=TITLE,
        fixed={**YES_NO, "description": "told, and not taken"},
    ),
    "Profile": {
        "type": "object",
        "required": ["name", "settings", "work", "destination", "fixed"],
        "properties": {
            "name": PROFILE_NAME,
            "settings": {"type": "object"},
            "work": {"type": "object"},
            "output": {"type": "object"},
            "destination": {"type": ["string", "null"]},
            "title": TITLE,
            "fixed": {**YES_NO, "description": "it stands in the server's configuration"},
        },
    },
    "Profiles": obj("profiles", profiles=listed("Profile")),
    "Login": obj(
        "user password",
        user={"type": "string", "minLength": 1, "maxLength": 200},
        password={"type": "string", "minLength": 1, "maxLength": 1024},
    ),
    "Session": obj(
        "user needed",
        user={"type": ["string", "null"]},
        needed={**YES_NO, "description": "whether one has to sign in"},
    ),
    "Info": {"type": "object"},
    "Problem": {},
}
SCHEMAS["Problem"] = SCHEMAS["Error"]["properties"]["error"]
SCHEMAS["Error"] = obj("error", error=ref("Problem"))
SIZE: Schema = {"type": "string", "enum": list(SIZES), "default": "screen"}
