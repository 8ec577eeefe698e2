"""What is plugged in or out is noticed once the bus is quiet."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sane.web.hotplug import bus_names, watch


def test_the_names_on_the_bus_change_with_each_plugging(tmp_path: Path) -> None:
    bus, sysfs = tmp_path / "bus", tmp_path / "sysfs"
    assert bus_names(str(bus), str(sysfs)) == frozenset()
    (bus / "001").mkdir(parents=True)
    (bus / "001" / "002").touch()
    before = bus_names(str(bus), str(sysfs))
    (bus / "001" / "002").rename(bus / "001" / "003")
    assert bus_names(str(bus), str(sysfs)) != before


def test_many_changes_are_told_once_and_none_is_not() -> None:
    states = ["a", "a", "b", "c", "d", "d", "d", "d", "d", "d"]
    told = 0

    async def running() -> None:
        seen = iter(states)

        def look() -> frozenset[str]:
            return frozenset(next(seen, "d"))

        async def changed() -> None:
            nonlocal told
            told += 1

        watching = asyncio.ensure_future(
            watch(changed, look, look_seconds=0.01, quiet_seconds=0.02)
        )
        await asyncio.sleep(0.4)
        watching.cancel()

    asyncio.run(running())
    assert told == 1
