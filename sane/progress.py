"""Ready-made progress bars: of rich, and of tqdm. Both packages are imported on use.

Each is a context manager and what ``progress=`` takes:

    with sane.progress.rich() as bar:
        for page in scanner.pages(progress=bar):
            ...
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .api.meter import Progress


class Bar:
    """A bar for each page; close() takes it off the screen, or leaves it as it is."""

    def __init__(self) -> None:
        self._page = 0

    def __call__(self, progress: Progress) -> None:
        """Show how far the page is."""
        if progress.phase == "warmup" and progress.page > 1:
            return  # the feeder may be empty
        if progress.page != self._page:
            self._page = progress.page
            self._begin(progress)
        self._show(progress)

    def _begin(self, progress: Progress) -> None:
        raise NotImplementedError

    def _show(self, progress: Progress) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """End it; may be called again."""

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class _Rich(Bar):
    def __init__(self, options: dict[str, Any]) -> None:
        from rich.progress import Progress as RichProgress

        super().__init__()
        self._bars: Any = RichProgress(**options)
        self._bars.start()
        self._task: Any = None

    def _begin(self, progress: Progress) -> None:
        self._task = self._bars.add_task(f"page {progress.page}", total=None)

    def _show(self, progress: Progress) -> None:
        if progress.fraction is not None:
            self._bars.update(self._task, completed=progress.fraction, total=1.0)

    def close(self) -> None:
        self._bars.stop()


class _Tqdm(Bar):
    def __init__(self, options: dict[str, Any]) -> None:
        from tqdm import tqdm as make

        super().__init__()
        self._make: Any = make
        self._options = options
        self._bar: Any = None

    def _begin(self, progress: Progress) -> None:
        self.close()
        named = {"desc": f"page {progress.page}", "unit": "row", **self._options}
        self._bar = self._make(total=progress.rows, **named)

    def _show(self, progress: Progress) -> None:
        self._bar.total = progress.rows
        self._bar.update(progress.row - self._bar.n)
        if progress.fraction == 1.0:
            self.close()

    def close(self) -> None:
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()


def rich(**options: Any) -> Bar:
    """Return bars of the package rich, one for each page; options: of rich.progress.Progress."""
    return _Rich(options)


def tqdm(**options: Any) -> Bar:
    """Return a bar of the package tqdm, of the page that is scanned; options: those of tqdm."""
    return _Tqdm(options)
