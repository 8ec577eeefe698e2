"""Where shared scanners are, and what is announced of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sane.web.config import EsclSettings, HttpsSettings, ServerSettings, ShareSettings
from sane.web.escl.announcement import fitted, listed, texts
from tests.support.escl_client import looped, served, settings
from tests.support.web import FakeScanner, source

ORDER = [
    *("txtvers", "vers", "pdl", "ty", "note", "uuid", "rs", "cs", "is", "duplex"),
    *("adminurl", "representation"),
]


@looped
async def test_a_record_says_what_clients_need(tmp_path: Path) -> None:
    scanner = FakeScanner()
    async with served(tmp_path, scanner) as client:
        found = texts(client.app.state.context, scanner, "http")  # type: ignore[arg-type]
        assert list(found) == ORDER
        root = (await client.get("/eSCL/ScannerCapabilities")).xml
        assert found["uuid"] == root.value("UUID") and found["vers"] == root.value("Version")
        assert found["ty"] == "Noname frontend-tester" and found["rs"] == "eSCL"
        assert (found["cs"], found["is"], found["duplex"]) == (
            "color,grayscale,binary",
            "platen,adf",
            "T",
        )
        assert found["adminurl"].startswith("http://") and found["adminurl"].endswith(":8090/")
        assert found["representation"] == f"{found['adminurl']}eSCL/ScannerIcon"
        secure = texts(client.app.state.context, scanner, "https")  # type: ignore[arg-type]
        assert secure["adminurl"].startswith("https://")
        assert secure["adminurl"].endswith(f":{HttpsSettings().port}/")


@looped
async def test_only_what_works_is_announced(tmp_path: Path) -> None:
    scanner = FakeScanner(sources=[source("adf", modes=("gray",))])
    async with served(tmp_path, scanner) as client:
        found = texts(client.app.state.context, scanner, "http")  # type: ignore[arg-type]
        assert (found["cs"], found["is"], found["duplex"]) == ("grayscale", "adf", "F")


@looped
async def test_the_first_scanner_is_at_escl_and_others_are_not(tmp_path: Path) -> None:
    one, two = FakeScanner(1), FakeScanner(2)
    async with served(tmp_path, one, two) as client:
        context = client.app.state.context
        roots = [texts(context, each, "http")["rs"] for each in (one, two)]  # type: ignore[arg-type]
        assert roots == ["eSCL", two.id]
        context.ports[8091] = two.id
        roots = [texts(context, two, each)["rs"] for each in ("http", "https")]  # type: ignore[arg-type]
        assert roots == ["eSCL", two.id]  # HTTPS has one port for all


@looped
async def test_behind_a_proxy_paths_begin_with_the_proxys(tmp_path: Path) -> None:
    scanner = FakeScanner()
    given = ShareSettings(server=ServerSettings(base_url="https://scan.example.org/x"))
    async with served(tmp_path, scanner, settings=given) as client:
        found = texts(client.app.state.context, scanner, "https")  # type: ignore[arg-type]
        assert found["rs"] == "x/eSCL"
        assert found["representation"] == "https://scan.example.org/x/eSCL/ScannerIcon"
        job = await client.post(settings())
        assert job.startswith("/x/eSCL/ScanJobs/")


@looped
async def test_secret_paths_are_kept(tmp_path: Path) -> None:
    given = ShareSettings(server=ServerSettings(random_paths=True))
    roots = []
    for _ in range(2):
        scanner = FakeScanner()
        async with served(tmp_path, scanner, settings=given) as client:
            context = client.app.state.context
            roots.append(texts(context, scanner, "http")["rs"])  # type: ignore[arg-type]
            assert (await client.get("/eSCL/ScannerStatus")).status == 404
            assert (await client.get(f"/{scanner.id}/ScannerStatus")).status == 404
            assert (await client.get(f"/{roots[-1]}/ScannerStatus")).status == 200
            assert (await client.post(settings(), f"/{roots[-1]}")).startswith(f"/{roots[-1]}/")
    assert roots[0] == roots[1]
    assert (tmp_path / "paths.secret").stat().st_mode & 0o777 == 0o600


@looped
async def test_secret_paths_that_cannot_be_kept_are_used_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "paths.secret").mkdir()
    scanner = FakeScanner()
    given = ShareSettings(server=ServerSettings(random_paths=True))
    async with served(tmp_path, scanner, settings=given) as client:
        context = client.app.state.context
        root = texts(context, scanner, "http")["rs"]  # type: ignore[arg-type]
        assert (await client.get(f"/{root}/ScannerStatus")).status == 200


@looped
async def test_a_scanner_that_may_come_yet_is_asked_for_again(tmp_path: Path) -> None:
    one, two = FakeScanner(1), FakeScanner(2)
    async with served(tmp_path, one) as client:
        scanners: Any = client.app.state.context.scanners
        places = ["/eSCL", f"/{one.id}", f"/{two.id}"]

        async def found() -> list[int]:
            answers = [await client.get(f"{place}/ScannerCapabilities") for place in places]
            for answer in answers:
                assert ("retry-after" in answer.headers) == (answer.status == 503)
            return [answer.status for answer in answers]

        assert await found() == [200, 200, 404]
        scanners.coming = [two]
        assert await found() == [200, 200, 503]
        scanners.list, scanners.coming = [], [one]
        assert await found() == [503, 503, 404]
        scanners.coming, scanners.is_listed = [], False
        assert await found() == [503, 503, 503]
        answer = await client.ask("POST", "/eSCL/ScanJobs", settings(), content_type="text/xml")
        assert answer.status == 503
        scanners.is_listed = True
        assert await found() == [404, 404, 404]


def test_strings_of_the_record_fit() -> None:
    formats = [f"image/x-{number:020}" for number in range(20)]
    kept = listed("pdl", formats)
    assert len(f"pdl={kept}") <= 255 and kept.split(",") == formats[: len(kept.split(","))]
    assert len(f"ty={fitted('ty', 'ä' * 300)}".encode()) <= 255
    assert fitted("note", "a\x00\x1b[2Jb") == "a[2Jb"


@looped
async def test_without_escl_there_is_none(tmp_path: Path) -> None:
    from tests.support.web import app

    web = app([FakeScanner()], ShareSettings(escl=EsclSettings(enabled=False)), tmp_path)
    assert not [route for route in web.routes if "eSCL" in getattr(route, "path", "")]
