"""What of an emulated eSCL scanner can be set besides its model: every knob, by group.

The groups are attributes of a Scanner; they may be changed at any time. As JSON they are objects of
the same names (configuration.py). Source: specification escl, section 8.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

# Forms of the Location that names a new job.
LOCATIONS = (
    "path",  # /eSCL/ScanJobs/1
    "absolute",  # with the scheme, host and port of the device
    "wrong-host",  # a name that nobody knows
    "wrong-port",  # of this host, where nobody listens
    "other-host",  # an address of another network
    "https",  # of this host, though the request came by http
    "relative",  # ScanJobs/1
    "slash",  # with a slash behind
    "scheme",  # //host/eSCL/ScanJobs/1
    "host-header",  # http:// and the text of the request's Host, as Epson does
    "usb",  # a queue's name for a host, as HP does
    "broken-ipv6",  # http://[fe80/eSCL/ScanJobs/1, as Xerox B205 does
    "empty",
    "missing",
    "long",  # of 2000 characters
    "dots",  # with .. in it
)
JOB_IDS = ("uuid", "number", "urn")


@dataclass
class Delivery:
    """How the body of a reply travels; what is given here is what a healthy device does.

    framing: "sized", "chunked" or "closed" (until the connection is). declared: so much is added to
    the Content-Length. content_type: None: the right one, "": none. delay: seconds before the
    head. rate: bytes a second, 0: no limit. stall_at, reset_at: behind so many bytes of the body
    nothing comes any more, or the connection is reset. has_end: the last chunk is sent.
    """

    framing: str = "chunked"
    declared: int = 0
    content_type: str | None = None
    delay: float = 0.0
    rate: float = 0.0
    stall_at: int | None = None
    reset_at: int | None = None
    has_end: bool = True
    is_empty: bool = False
    is_multipart: bool = False

    def __post_init__(self) -> None:
        if self.framing not in ("sized", "chunked", "closed"):
            raise ValueError(f"framing {self.framing!r}: none of sized, chunked, closed")


@dataclass
class StatusKnobs:
    """What ScannerStatus tells.

    states, adf_states: of the next requests, one each; then state, adf_state, None: as it is; "":
    the element is missing. document: sent instead, whatever it is.
    """

    states: list[str] = field(default_factory=list)
    adf_states: list[str] = field(default_factory=list)
    state: str | None = None
    adf_state: str | None = None
    reasons: Sequence[str] = ()
    has_jobs: bool = True
    document: bytes | None = None


@dataclass
class JobKnobs:
    """How jobs begin and end.

    rules: of settings.RULES. location, id: of LOCATIONS, JOB_IDS. jams_when_empty: as MF410 does.
    delete: the status of every DELETE, None: 200, or 404 for a job that is over. delete_location:
    sent with it. echoes: the answer to the POST has a body.
    """

    rules: Sequence[str] = ()
    location: str = "path"
    id: str = "uuid"
    created: int = 201
    jams_when_empty: bool = False
    delete: int | None = None
    delete_location: str = ""
    echoes: bool = False

    def __setattr__(self, name: str, value: object) -> None:
        known = {"location": LOCATIONS, "id": JOB_IDS}.get(name)
        if known is not None and value not in known:
            raise ValueError(f"{name} {value!r}: none of {', '.join(known)}")
        super().__setattr__(name, value)


@dataclass
class PageKnobs:
    """What pages are, and how they travel.

    mime: sent whatever was asked for, "": that. form: of images.FORMS. more_px, more_lines: than
    were asked for; may be less than 0. scale: of the resolution that was asked for. deliveries: of
    the next pages, one each; then delivery. not_ready: so many NextDocument of each page are
    answered by not_ready_status before it comes. end: the status behind the last page. in_one: all
    pages of a feeder in one document (PDF, TIFF). sides_alike: every side looks like the glass.
    """

    mime: str = ""
    form: str = ""
    quality: int = 90
    more_px: int = 0
    more_lines: int = 0
    scale: float = 1.0
    deliveries: list[Delivery] = field(default_factory=list)
    delivery: Delivery = field(default_factory=Delivery)
    not_ready: int = 0
    not_ready_status: int = 503
    end: int = 404
    in_one: bool = False
    sides_alike: bool = False
    has_info: bool = True  # ScanImageInfo


@dataclass
class Timing:
    """How long things take, in seconds; 0: no time.

    page: from the first to the last byte of a page. interval: between two pages of the feeder.
    buffer_pages: the feeder takes in a sheet while no more pages wait for the host. warm_up: so
    long ScanJobs is answered by 503, from when the scanner was made. idle: State stays Processing
    behind the last page. kept: it does so for as long as the host keeps the connection open, at
    most (Kyocera). early: a NextDocument that comes sooner behind the last page loses a sheet
    (Brother). job: one that nobody asks for is given up. after_delete: it stays busy behind a
    DELETE.
    """

    page: float = 0.0
    interval: float = 0.0
    buffer_pages: int = 1
    warm_up: float = 0.0
    idle: float = 0.0
    kept: float = 0.0
    early: float = 0.0
    job: float = 60.0
    after_delete: float = 0.0


@dataclass
class Access:
    """Who gets in, and where.

    roots: the paths of the service; the first one is told. host: "" any Host, "proxy": ipp-usb's
    rules on a loopback address, "localhost": others than localhost get 400, "localhost-post": when
    they ask for a job, "not-localhost": localhost gets 400.
    user, password: with scheme "basic" or "digest"; algorithm: of the latter, MD5 or SHA-256.
    at_once: so many requests are handled at the same time, 0: any number. initialising: so many
    requests get 503 first. redirects: of the first root, by resource: status, where to.
    keeps_alive: connections stay open if the host wants.
    """

    roots: list[str] = field(default_factory=lambda: ["/eSCL"])
    host: str = ""
    user: str = ""
    password: str = ""
    scheme: str = ""
    algorithm: str = "MD5"
    at_once: int = 0
    initialising: int = 0
    redirects: dict[str, tuple[int, str]] = field(default_factory=dict)
    keeps_alive: bool = True
    server: str = "Emulated-eSCL"  # the Server header
    headers: dict[str, str] = field(default_factory=dict)  # with every reply
