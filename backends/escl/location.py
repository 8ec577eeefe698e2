"""Where a job is: the path that a Location header means, however a device writes it.

Only the path counts: the host is the one that was asked. Source: specification escl 2.6.
"""

from __future__ import annotations

from ...errors import DeviceIOError, Invalid
from ...transport.url import Url

PATH_CHARACTERS = 1024
JOBS = "/scanjobs/"
SHOWN = 80  # characters of a header in a message


def job_path(location: str, posted: Url) -> str:
    """Return the path of the job that *location* names; *posted* is where it was asked for.

    Raises DeviceIOError where there is none, or one that leads elsewhere on the host.
    """
    location = location.strip()
    if not location:
        raise DeviceIOError("the scanner does not say where its job is")
    try:
        path = posted.join(location).path
    except Invalid:
        path = _recovered(location, posted)
    path = path.removesuffix("/")
    is_wrong = len(path) > PATH_CHARACTERS or not path.startswith("/") or len(path) < 2
    if is_wrong or any(char <= " " or char == "\x7f" for char in path):
        raise DeviceIOError(f"the scanner names an impossible job: {location[:SHOWN]!r}")
    if ".." in path.partition("?")[0].split("/"):
        raise DeviceIOError(f"the scanner's job leads elsewhere: {location[:SHOWN]!r}")
    return path


def _recovered(location: str, posted: Url) -> str:
    """Return the path in what is no address, as ``http://[fe80/eSCL/ScanJobs/1``; "" for none.

    The job's own name is behind ScanJobs; what is before it, we know.
    """
    at = location.find("/ScanJobs/")
    if at < 0:
        at = location.lower().find(JOBS)
    if at < 0:
        return ""
    return posted.path.partition("?")[0].rpartition("/")[0] + location[at:]
