"""The page that people scan from: HTML, style sheets, modules and languages, as they lie in files/.

There is no build step. All is read and compressed once. What index.html refers to has a digest of
everything in its path, so a browser keeps it until it changes and then asks for all of it anew.
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

FOLDER = Path(__file__).parent / "files"
INDEX = "index.html"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
# Nothing from another host, nothing inline; blob: is for the file that a person saves.
POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITY = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
FOR_GOOD = "max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


class File:
    """One file of the page as it is sent."""

    __slots__ = ("body", "compressed", "tag", "type")

    def __init__(self, body: bytes, suffix: str) -> None:
        self.body = body
        self.compressed = gzip.compress(body, mtime=0)
        self.tag = f'"{digest(body)}"'
        self.type = TYPES[suffix]

    def response(self, request: Request, cache: str) -> Response:
        """Return the answer to *request*: the file, or that the browser's is still right."""
        headers = {**SECURITY, "ETag": self.tag, "Cache-Control": cache, "Vary": "Accept-Encoding"}
        if self.tag in tags(request.headers.get("If-None-Match", "")):
            return Response(status_code=304, headers=headers)
        if accepts_gzip(request.headers.get("Accept-Encoding", "")):
            headers["Content-Encoding"] = "gzip"
            return Response(self.compressed, headers=headers, media_type=self.type)
        return Response(self.body, headers=headers, media_type=self.type)


def digest(body: bytes) -> str:
    """Return a short name for *body* that no other one has."""
    return hashlib.sha256(body).hexdigest()[:16]


def tags(header: str) -> set[str]:
    """Return the tags of an If-None-Match header, weak ones as strong. Source: RFC 9110, 13.1.2."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


def accepts_gzip(header: str) -> bool:
    """Tell whether an Accept-Encoding header wants gzip. Source: RFC 9110, 12.5.3."""
    for part in header.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def read(folder: Path = FOLDER) -> tuple[str, dict[str, File]]:
    """Return the digest of all files in *folder*, and the files by their path in it."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in TYPES and path.is_file())
    bodies = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    version = digest(b"".join(name.encode() + body for name, body in bodies.items()))
    index = bodies[INDEX].replace(b'"page/', f'"page/{version}/'.encode())
    files = {name: File(body, Path(name).suffix) for name, body in bodies.items() if name != INDEX}
    return version, {**files, INDEX: File(index, ".html")}


def routes(context: object) -> list[Route]:
    """Return the page's routes: / and /page/<digest>/<file>."""
    version, files = read()

    async def index(request: Request) -> Response:
        return files[INDEX].response(request, ASK_AGAIN)

    async def file(request: Request) -> Response:
        found = files.get(request.path_params["name"])
        if found is None:
            return Response("There is no such file.\n", 404, SECURITY, "text/plain")
        is_current = request.path_params["version"] == version
        return found.response(request, FOR_GOOD if is_current else ASK_AGAIN)

    return [Route("/", index), Route("/page/{version}/{name:path}", file)]
