"""A stand-in for the server's REST interface, for tests and pictures of the page alone.

    python -m tests.support.page_api [--port N] [--scanners 1] [--pace 0.2] [--password secret]

It keeps to the interface under /api/v1, but its scanners and pages are drawn: each scanner meets
another fate, which its model says. It prints its address, and serves until it is ended.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sane.web import page

from .drawn_pages import draw, jpeg

SOURCES = {"platen": (215.9, 297.2), "adf": (215.9, 355.6), "adf-duplex": (215.9, 355.6)}
PAPERS = {"a4": (210, 297), "a5": (148, 210), "letter": (215.9, 279.4), "legal": (215.9, 355.6)}
# title, vendor, model, sources, state, holder, what ends a scan
SCANNERS = (
    ("Epson WF-3820", "Epson", "WF-3820", tuple(SOURCES), "idle", "", ""),
    ("Canon LiDE 300", "Canon", "LiDE 300", ("platen",), "busy", "simple-scan, pid 4711", ""),
    ("Fujitsu fi-7160", "Fujitsu", "fi-7160", ("adf", "adf-duplex"), "idle", "", "jammed"),
    ("Epson DS-530", "Epson", "DS-530", ("adf",), "idle", "", "no-documents"),
    ("Avision AV220", "Avision", "AV220", ("adf",), "idle", "", "cover-open"),
    ("Brother ADS-1700W", "Brother", "ADS-1700W", ("adf",), "unreachable", "", ""),
    ("Canon TS5350", "Canon", "TS5350", ("platen",), "idle", "", "disk-full"),
    ("Mustek 1200", "Mustek", "1200", ("platen",), "idle", "", "busy"),
)
DESTINATIONS = (("paperless", "paperless", "Paperless"), ("office", "folder", "Office folder"))
SHEETS = 3  # in a feeder
STEPS = 5  # of a page's progress
HEARTBEAT = 0.5


class Failed(Exception):
    """An answer with an error's code and a status."""

    def __init__(self, code: str, status: int, text: str = "", holder: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.body = {"error": {"code": code, "text": text or code, "holder": holder}}


class StandIn:
    """What the stand-in knows; its methods answer requests."""

    def __init__(self, count: int, pace: float, password: str) -> None:
        self.pace = pace
        self.password = password
        self.scanners: dict[str, dict[str, Any]] = {}
        self.sources: dict[str, tuple[str, ...]] = {}
        self.fates: dict[str, str] = {}
        for title, vendor, model, sources, state, holder, fate in SCANNERS[:count]:
            id = f"00000000-0000-5000-8000-{len(self.scanners):012}"
            feeder = None if sources == ("platen",) else "loaded"
            named = {"id": id, "title": title, "vendor": vendor, "model": model, "type": "scanner"}
            now = {"state": state, "holder": holder, "problem": "", "feeder": feeder}
            self.scanners[id] = {**named, **now}
            self.sources[id], self.fates[id] = sources, fate
        self.documents: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.profiles: dict[str, dict[str, Any]] = {}
        self.listeners: set[asyncio.Queue[tuple[str, Any]]] = set()
        self.count = 0

    def number(self) -> str:
        """Return a new id."""
        self.count += 1
        return f"{self.count:016x}"

    def publish(self, kind: str, data: Any) -> None:
        """Tell everybody who listens."""
        for queue in self.listeners:
            queue.put_nowait((kind, json.loads(json.dumps(data))))

    def document(self, id: str) -> dict[str, Any]:
        """Return a document or fail."""
        if id not in self.documents:
            raise Failed("not-found", 404)
        return self.documents[id]

    def new_document(self, title: str = "", days: int = 0) -> dict[str, Any]:
        """Make a document of some days ago."""
        created = datetime(2026, 11, 30, 9, 41, tzinfo=timezone.utc) - timedelta(days=days)
        id = self.number()
        made = {"id": id, "title": title, "created": created.isoformat(), "pages": []}
        self.documents[id] = {**made, "deliveries": []}
        return self.documents[id]

    def new_page(self, mode: str = "color", dpi: int = 300) -> dict[str, Any]:
        """Return a page of A4; which picture it has follows from its id."""
        size = {"width": round(8.27 * dpi), "height": round(11.69 * dpi), "dpi": dpi}
        shown = {"mode": mode, "rotate": 0, "crop": None, "bytes": 412_000}
        return {"id": self.number(), **size, **shown}

    # Requests

    async def get_scanners(self, request: Request) -> Response:
        return JSONResponse({"scanners": list(self.scanners.values())})

    async def capabilities(self, request: Request) -> Response:
        id = request.path_params["id"]
        if id not in self.scanners:
            raise Failed("not-found", 404)
        if self.scanners[id]["state"] == "unreachable":
            raise Failed("unreachable", 503)
        sources = [
            {
                "id": name,
                "modes": ["color", "gray", "lineart"],
                "resolutions": [75, 150, 200, 300, 600],
                "depths": [8],
                "min_width_mm": 5,
                "min_height_mm": 5,
                "width_mm": SOURCES[name][0],
                "height_mm": SOURCES[name][1],
            }
            for name in self.sources[id]
        ]
        papers = [{"id": k, "width_mm": v[0], "height_mm": v[1]} for k, v in PAPERS.items()]
        chosen = {"source": sources[0]["id"], "mode": "color", "resolution": 300, "paper": "a4"}
        return JSONResponse({"sources": sources, "papers": papers, "defaults": chosen})

    async def jobs_of_all(self, request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse({"jobs": list(self.jobs.values())})
        body = await request.json()
        scanner = self.scanners.get(body["scanner"])
        if scanner is None:
            raise Failed("not-found", 404)
        if scanner["state"] in ("busy", "scanning"):
            raise Failed("busy", 409, holder=scanner["holder"])
        id = self.number()
        if body["kind"] == "scan" and not body.get("document"):
            body["document"] = self.new_document()["id"]
        state = {"state": "waiting", "page_number": 1, "progress": None, "pages": [], "error": None}
        kept = {"id": id, "scanner": scanner["id"], "kind": body["kind"], **state}
        job = self.jobs[id] = {**kept, "document": body.get("document")}
        self.tasks[id] = asyncio.create_task(self.run(job, body))
        return JSONResponse(job, 201, {"Location": f"/api/v1/jobs/{id}"})

    async def run(self, job: dict[str, Any], body: dict[str, Any]) -> None:
        """Do a job, page by page."""
        scanner = self.scanners[job["scanner"]]
        fate = self.fates[scanner["id"]]
        scanner["state"] = "scanning"
        self.publish("scanner", scanner)
        sheets = 1 if body["source"] == "platen" or job["kind"] == "preview" else SHEETS
        try:
            for sheet in range(sheets):
                if fate and (fate != "jammed" or sheet == 2):
                    holder = "simple-scan, pid 4711" if fate == "busy" else ""
                    job["error"] = {"code": fate, "text": fate, "holder": holder}
                    job["state"] = "failed"
                    return
                await self.scan_sheet(job, body, sheet)
            job["state"] = "done"
        except asyncio.CancelledError:
            job["state"] = "cancelled"
        finally:
            scanner["state"] = "idle"
            self.publish("scanner", scanner)
            self.publish("job", job)

    async def scan_sheet(self, job: dict[str, Any], body: dict[str, Any], sheet: int) -> None:
        """Let the progress of a sheet grow, then add its page."""
        job["state"], job["page_number"] = "scanning", sheet + 1
        for step in range(STEPS + 1):
            job["progress"] = step / STEPS
            self.publish("job", job)
            await asyncio.sleep(self.pace)
        if job["kind"] == "preview":
            return
        pages = self.documents[job["document"]]["pages"]
        made = self.new_page(body["mode"], body["resolution"])
        old = [at for at, one in enumerate(pages) if one["id"] == body.get("replace")]
        if old:
            pages[old[0]] = made
        else:
            pages.append(made)
        job["pages"] = [*job["pages"], made["id"]]
        job["progress"] = None
        self.publish("job", job)

    async def job(self, request: Request) -> Response:
        id = request.path_params["id"]
        if id not in self.jobs:
            raise Failed("not-found", 404)
        if request.method == "DELETE":
            self.tasks[id].cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.tasks[id]
        return JSONResponse(self.jobs[id])

    async def preview(self, request: Request) -> Response:
        return Response(jpeg(draw("glass", 640)), media_type="image/jpeg")

    async def get_documents(self, request: Request) -> Response:
        if request.method == "POST":
            return JSONResponse(self.new_document((await request.json()).get("title", "")), 201)
        return JSONResponse({"documents": list(self.documents.values())})

    async def one_document(self, request: Request) -> Response:
        found = self.document(request.path_params["id"])
        if request.method == "DELETE":
            del self.documents[found["id"]]
            return Response(status_code=204)
        if request.method == "PATCH":
            body = await request.json()
            found["title"] = body.get("title", found["title"])
            if "pages" in body:
                by_id = {one["id"]: one for one in found["pages"]}
                if sorted(by_id) != sorted(body["pages"]):
                    raise Failed("invalid", 400, "pages are not the document's")
                found["pages"] = [by_id[id] for id in body["pages"]]
            self.publish("document", found)
        return JSONResponse(found)

    async def one_page(self, request: Request) -> Response:
        found = self.document(request.path_params["id"])
        page = next((p for p in found["pages"] if p["id"] == request.path_params["page"]), None)
        if page is None:
            raise Failed("not-found", 404)
        if request.method == "DELETE":
            found["pages"].remove(page)
            return Response(status_code=204)
        body = await request.json()
        page.update({key: body[key] for key in ("rotate", "crop") if key in body})
        self.publish("document", found)
        return JSONResponse(page)

    async def image(self, request: Request) -> Response:
        id = request.path_params["page"]
        width = {"thumb": 240}.get(request.query_params.get("size", "full"), 1000)
        modes = {one["id"]: one["mode"] for doc in self.documents.values() for one in doc["pages"]}
        body = jpeg(draw(int(id, 16), width, modes.get(id, "color")))
        return Response(body, media_type="image/jpeg", headers={"Cache-Control": "max-age=60"})

    async def file(self, request: Request) -> Response:
        found = self.document(request.path_params["id"])
        kind = request.query_params["format"]
        name = f"{found['title'] or 'scan'}.{kind}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(
            b"%PDF-1.7\n" + b"0" * 240_000, media_type="application/pdf", headers=headers
        )

    async def deliver(self, request: Request) -> Response:
        found = self.document(request.path_params["id"])
        body = await request.json()
        sent = {"id": self.number(), "destination": body["destination"], "attempts": 1}
        found["deliveries"].append({**sent, "state": "done", "error": None})
        self.publish("delivery", found["deliveries"][-1])
        return JSONResponse(found["deliveries"][-1], 202)

    async def destinations(self, request: Request) -> Response:
        shown = [{"name": n, "kind": k, "title": t} for n, k, t in DESTINATIONS]
        return JSONResponse({"destinations": shown})

    async def get_profiles(self, request: Request) -> Response:
        return JSONResponse({"profiles": list(self.profiles.values())})

    async def profile(self, request: Request) -> Response:
        name = request.path_params["name"]
        if request.method == "DELETE":
            self.profiles.pop(name, None)
            return Response(status_code=204)
        self.profiles[name] = {**await request.json(), "name": name}
        return JSONResponse(self.profiles[name])

    async def info(self, request: Request) -> Response:
        features = {"ocr": True, "pdf": True, "pdfa": True}
        return JSONResponse({"version": "0.0", "languages": ["en"], "features": features})

    async def session(self, request: Request) -> Response:
        user = request.cookies.get("user", "")
        if request.method == "POST":
            body = await request.json()
            if body["password"] != self.password:
                raise Failed("unauthorized", 401)
            answer = JSONResponse({"user": body["user"], "needed": True})
            answer.set_cookie("user", body["user"], httponly=True, samesite="strict")
            return answer
        answer = JSONResponse({"user": user, "needed": bool(self.password)})
        if request.method == "DELETE":
            answer.delete_cookie("user")
        return answer

    async def events(self, request: Request) -> Response:
        return StreamingResponse(self.stream(), media_type="text/event-stream")

    async def stream(self) -> AsyncIterator[str]:
        """Yield events as they come, and a comment now and then."""
        queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.listeners.add(queue)
        try:
            yield ": here\n\n"
            while True:
                try:
                    kind, data = await asyncio.wait_for(queue.get(), HEARTBEAT)
                    yield f"event: {kind}\ndata: {json.dumps(data)}\n\n"
                except asyncio.TimeoutError:
                    yield ": still here\n\n"
        finally:
            self.listeners.discard(queue)

    def fill(self) -> None:
        """Put some documents there that were scanned before."""
        for title, count, days in (("Rental agreement", 3, 0), ("Receipts, October", 2, 9)):
            made = self.new_document(title, days)
            made["pages"] = [self.new_page() for _ in range(count)]
            if days:
                sent = {"id": self.number(), "destination": "paperless", "attempts": 1}
                made["deliveries"] = [{**sent, "state": "done", "error": None}]
        self.new_document("", 31)["pages"] = [self.new_page()]
        settings = {"source": "adf-duplex", "mode": "gray", "resolution": 200, "paper": "a4"}
        self.profiles["Letters"] = {"name": "Letters", "settings": settings, "work": {}}

    def routes(self) -> list[Route]:
        """Return the routes of the interface."""
        table: dict[str, tuple[Callable[[Request], Awaitable[Response]], str]] = {
            "scanners": (self.get_scanners, "GET"),
            "scanners/{id}/capabilities": (self.capabilities, "GET"),
            "jobs": (self.jobs_of_all, "GET POST"),
            "jobs/{id}": (self.job, "GET DELETE"),
            "jobs/{id}/preview": (self.preview, "GET"),
            "documents": (self.get_documents, "GET POST"),
            "documents/{id}": (self.one_document, "GET PATCH DELETE"),
            "documents/{id}/pages/{page}": (self.one_page, "PATCH DELETE"),
            "documents/{id}/pages/{page}/image": (self.image, "GET"),
            "documents/{id}/file": (self.file, "GET"),
            "documents/{id}/deliveries": (self.deliver, "POST"),
            "destinations": (self.destinations, "GET"),
            "profiles": (self.get_profiles, "GET"),
            "profiles/{name}": (self.profile, "PUT DELETE"),
            "events": (self.events, "GET"),
            "session": (self.session, "GET POST DELETE"),
            "info": (self.info, "GET"),
        }
        return [
            Route(f"/api/v1/{path}", self.checked(answer), methods=methods.split())
            for path, (answer, methods) in table.items()
        ]

    def checked(
        self, answer: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return *answer* with the login and errors around it."""

        async def call(request: Request) -> Response:
            is_open = not self.password or request.url.path.endswith("/session")
            try:
                if not is_open and "user" not in request.cookies:
                    raise Failed("unauthorized", 401)
                return await answer(request)
            except Failed as exc:
                return JSONResponse(exc.body, exc.status)

        return call


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--scanners", type=int, default=1)
    parser.add_argument("--pace", type=float, default=0.02)
    parser.add_argument("--password", default="")
    parser.add_argument("--filled", action="store_true")
    options = parser.parse_args()
    stand_in = StandIn(options.scanners, options.pace, options.password)
    if options.filled:
        stand_in.fill()
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", options.port))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}/", flush=True)
    app = Starlette(routes=[*page.routes(stand_in), *stand_in.routes()])
    config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
