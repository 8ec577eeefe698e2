"""The ready-made bars, on stand-ins for rich and tqdm: what these are told, and that they end."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

import sane
import sane.progress


class Rich:
    """What sane.progress uses of rich.progress.Progress."""

    made: list[Rich]

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.tasks: dict[int, list[float]] = {}
        self.running = False
        self.made.append(self)

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def add_task(self, text: str, total: float | None) -> int:
        number = len(self.tasks) + 1
        assert text == f"page {number}"
        self.tasks[number] = []
        return number

    def update(self, task: int, *, completed: float, total: float) -> None:
        assert total == 1.0
        self.tasks[task].append(completed)


class Tqdm:
    """What sane.progress uses of tqdm.tqdm."""

    made: list[Tqdm]

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.total = options["total"]
        self.n = 0
        self.closed = False
        self.made.append(self)

    def update(self, count: int) -> None:
        self.n += count

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    Rich.made, Tqdm.made = [], []
    rich, tqdm = types.ModuleType("rich.progress"), types.ModuleType("tqdm")
    rich.Progress, tqdm.tqdm = Rich, Tqdm  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rich", types.ModuleType("rich"))
    monkeypatch.setitem(sys.modules, "rich.progress", rich)
    monkeypatch.setitem(sys.modules, "tqdm", tqdm)


@pytest.mark.usefixtures("packages")
def test_bars_of_rich(scanner: sane.Scanner) -> None:
    scanner.configure(source="feeder")
    with sane.progress.rich(transient=True) as bar:
        count = len(list(scanner.pages(progress=bar)))
        (bars,) = Rich.made
        assert bars.running
    assert not bars.running
    assert bars.options == {"transient": True}
    assert len(bars.tasks) == count, "none for the feeder that was empty"
    assert all(shares[-1] == 1.0 for shares in bars.tasks.values())


@pytest.mark.usefixtures("packages")
def test_bars_of_tqdm(scanner: sane.Scanner) -> None:
    scanner.configure(source="feeder")
    with sane.progress.tqdm(leave=False) as bar:
        for _ in scanner.pages(limit=2, progress=bar):
            pass
    assert [(item.n, item.total, item.closed) for item in Tqdm.made] == [(59, 59, True)] * 2
    assert [item.options["desc"] for item in Tqdm.made] == ["page 1", "page 2"]
    assert Tqdm.made[0].options["leave"] is False


@pytest.mark.usefixtures("packages")
def test_a_bar_of_a_page_that_fails_ends_with_its_block(scanner: sane.Scanner) -> None:
    scanner.options.read_return_value = "SANE_STATUS_JAMMED"
    with pytest.raises(sane.Jammed), sane.progress.tqdm() as bar:
        scanner.scan(progress=bar)
    assert all(item.closed for item in Tqdm.made)
