"""Scanned pages become files: their order, their names, and what runs when they are there.

It knows page work's spool and writers, and no scanner. Of a scan that was interrupted, what is
whole goes to NAME.partial.
"""

from __future__ import annotations

import os

from ...pagework import names, order, writers
from ...pagework.pdf import Document
from . import hooks
from .exits import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...pagework.ocr import Ocr
    from ...pagework.spool import SpooledPage
    from ...pagework.writers import Written
    from .plan import Plan
    from .progress import Silent
    from .talk import Talk


class Files:
    """Writes the files of one scan; *written* are those that are there."""

    def __init__(
        self, plan: Plan, device: str, *, ocr: Ocr | None, talk: Talk, display: Silent
    ) -> None:
        self.written: list[Written] = []
        self._plan = plan
        self._device = device
        self._ocr = ocr
        self._talk = talk
        self._display = display

    def arranged(self, pages: Sequence[SpooledPage], fronts: int | None) -> list[list[SpooledPage]]:
        """Return the pages of each file, in order."""
        options = self._plan.options
        groups, notes = order.arrange(
            pages,
            collation=self._plan.collation,
            fronts=fronts,
            where=options.split,
            skip_blank=options.skip_blank is not None,
        )
        for note in notes:
            self._talk.warn(note)
        if self._plan.is_series:
            groups = [[page] for group in groups for page in group]
        return groups

    def write(self, groups: Sequence[Sequence[SpooledPage]], *, partial: bool = False) -> None:
        """Write a file for each group; raises PageWorkError for one that cannot be.

        partial: under the names for what there is of an interrupted scan, and without OCR.
        """
        several = len(groups) > 1
        for number, pages in enumerate(groups, 1):
            path = self._plan.name(number, self._device, is_one_of_several=several)
            self._write_one(partial_name(path, self._plan) if partial else path, pages, partial)

    def _write_one(self, path: str, pages: Sequence[SpooledPage], partial: bool) -> None:
        plan, options = self._plan, self._plan.options
        ocr = None if partial else self._ocr
        document = Document(
            title=options.title or "",
            author=options.author or "",
            keywords=options.keywords or "",
            pdfa=options.pdfa,
            password=plan.password,
            append=bool(plan.append) and not partial,
        )
        sidecar = f"{os.path.splitext(path)[0]}.txt" if ocr and options.ocr_sidecar else ""
        done = writers.write(
            pages,
            path,
            plan.format,
            document=document,
            ocr=ocr,
            sidecar=sidecar,
            force=options.force,
            quality=options.quality or 75,
        )
        self.written.append(done)
        for problem in done.problems:
            self._talk.warn(str(problem))
        self._display.event("file", file=done.to_dict())

    def react(self) -> None:
        """Run --exec for each file, and show them; raises Failure where a program must succeed."""
        options = self._plan.options
        for done in self.written if not self._plan.is_stdout else ():
            facts = {"pages": done.pages, "bytes": done.size, "device": self._device}
            for command in (options.exec, options.after_file):
                if command:
                    must = options.exec_must_succeed
                    hooks.run(command, done.path, facts, self._talk, must=must)
            if options.open:
                hooks.show(done.path, self._talk)


def partial_name(path: str, plan: Plan) -> str:
    """Return a free name for what there is of an interrupted scan."""
    if path == names.STDOUT:
        path = names.expand(names.template_for(None, plan.format), when=plan.when)
    first = name = names.partial(path)
    number = 1
    while os.path.lexists(name) and not plan.options.force:
        number += 1
        stem, ending = os.path.splitext(first)
        name = f"{stem}-{number}{ending}"
    return name


def told(done: Written, pages: Sequence[SpooledPage], plan: Plan) -> str:
    """Return what people read about a file."""
    name = "stdout" if done.path == names.STDOUT else done.path
    if plan.is_series:
        return f"{name}: {pages[0].width} x {pages[0].height} pixels"
    return f"{name}: {counted(done.pages)}, {size_text(done.size)}"


def counted(pages: int) -> str:
    """Return "1 page", "2 pages"."""
    return f"{pages} page{'s' * (pages != 1)}"


def size_text(size: int) -> str:
    """Return a size in bytes as people read it."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"


def nothing_left(pages: Sequence[SpooledPage]) -> Failure:
    """Return the failure of a scan whose pages are all blank."""
    from .exits import PROCESSING

    those = "the page is" if len(pages) == 1 else f"all {len(pages)} pages are"
    return Failure(
        PROCESSING,
        f"nothing is left: {those} blank",
        "scan without --skip-blank, or with a lower percentage",
        pages_done=len(pages),
    )
