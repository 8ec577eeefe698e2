"""A program of the new API as type checkers see it; it is checked, never run."""

from __future__ import annotations

import sys
from pathlib import Path

import sane
import sane.aio
import sane.progress

if sys.version_info >= (3, 11):
    from typing import assert_type

    def check_pages(scanner: sane.Scanner) -> None:
        page = scanner.scan(progress=lambda item: print(item.fraction), timeout=5.0)
        assert_type(page, sane.Page)
        assert_type(page.width, int)
        assert_type(page.dpi, "tuple[float, float] | None")
        assert_type(page.save("x.png"), Path)
        assert_type(page.to_bytes(), bytes)
        assert_type(page.bits, "memoryview | None")
        with scanner.pages(limit=2) as pages:
            assert_type(list(pages), "list[sane.Page]")
        with scanner.stream(chunk_rows=5) as stream:
            assert_type([block.first for block in stream], "list[int]")
            assert_type(stream.total, "int | None")
        for params, data in scanner.frames():
            assert_type(params, sane.Parameters)
            assert_type(data, bytearray)

    def check_options(scanner: sane.Scanner) -> None:
        applied = scanner.configure(mode="color", resolution=300, brightness=5)
        assert_type(applied.inexact, "list[str]")
        assert_type(scanner.options["mode"], sane.Option)
        assert_type(scanner.options.get("mode"), "sane.Option | None")
        assert_type(list(scanner.options), "list[str]")
        assert_type(scanner.capabilities, sane.Capabilities)
        assert_type(scanner.sensors(), "dict[str, int]")
        assert_type(scanner.wait_button("scan", timeout=1), str)
        scanner.options["resolution"] = 300
        scanner.options.resolution = 300

    def check_devices() -> None:
        found = sane.devices(timeout=5)
        assert_type(found, sane.DeviceList)
        assert_type(found[0], sane.DeviceInfo)
        assert_type(found.problems, "list[tuple[str, sane.SaneError]]")
        assert_type(sane.find("x").label, str)
        with sane.watch() as events:
            for event in events:
                assert_type(event, sane.DeviceEvent)
                if event.kind == "added":
                    break
        with sane.Session(config={"dll.conf": "test"}) as session:
            assert_type(session.scanner("test:0"), sane.Scanner)
        sane.set_authorization(lambda resource: None)
        sane.configure(backends=["test"], debug={"net": 3})

    async def check_aio() -> None:
        async with sane.aio.Scanner("test") as scanner:
            assert_type(await scanner.scan(), sane.Page)
            async for page in scanner.pages():
                assert_type(page, sane.Page)
            async for block in scanner.stream():
                assert_type(block, sane.RowBlock)
            assert_type(await scanner.wait_button(), str)
        async for event in sane.aio.watch():
            assert_type(event, sane.DeviceEvent)
        assert_type(await sane.aio.devices(), sane.DeviceList)

    def check_errors() -> None:
        try:
            sane.Scanner("x", settings={"mode": "gray"}, auth=lambda _: ("u", "p"), timeout=3)
        except (sane.NoDocs, sane.ScanTimeout) as exc:
            assert_type(exc.status, int)
            assert_type(exc.pages_done, int)
            assert_type(exc.hint, str)
        with sane.progress.rich() as bar:
            sane.Scanner().scan(progress=bar)
