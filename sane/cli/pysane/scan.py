"""`pysane scan`: pages from a scanner into files.

It puts together what the other modules here know: the plan, the scanner's settings, the stack of
pages, the files. Source: specification 12.3.
"""

from __future__ import annotations

import os

from ...pagework.names import ENDINGS
from . import hooks, scan_options
from .devices import DEFAULT_DEVICE, opened
from .exits import INTERRUPTED, OK, PROCESSING, Failure, failure_of, usage
from .listing import facts
from .numbers import Numbers
from .progress import display as display_for
from .settings import Settings, apply, wanted
from .words import is_setting, setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    from ...api.scanner import Scanner
    from ...pagework.ocr import Ocr
    from ...pagework.spool import SpooledPage
    from .files import Files
    from .main import Run
    from .plan import Plan
    from .settling import Wishes
    from .words import Parser

JPEG = "image/jpeg"


def parser() -> Parser:
    """Return the parser of `pysane scan`."""
    return scan_options.parser()


def run(run: Run) -> int:
    """Scan as the command line and the configuration say."""
    from .settling import Wishes

    given = run.options
    pairs = [*(given.set or ()), *operands(given)]
    wishes = Wishes(given, run.words)
    options = wishes.settled()
    default = os.environ.get(DEFAULT_DEVICE, "")
    configured = options.device if given.profile else default or options.device
    options.device = given.device or configured
    return Scan(run, options, pairs, wishes).run()


def operands(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Return NAME=VALUE of the operands; another one is the device."""
    from .button import chosen_device

    pairs = [setting(word) for word in options.operands if is_setting(word)]
    rest = [word for word in options.operands if not is_setting(word)]
    for word in rest:
        if word.lower().endswith(tuple(ENDINGS)):
            raise usage(f"{word} is no scanner", f"to scan into that file: -o {word}")
    options.device = chosen_device(options.device, rest) or None
    return pairs


class Scan:
    """One scan, from the plan to the files."""

    def __init__(
        self,
        run: Run,
        options: argparse.Namespace,
        pairs: Sequence[tuple[str, Any]] = (),
        wishes: Wishes | None = None,
    ) -> None:
        self.options = options
        self.talk = run.talk
        self.stopping = run.stopping
        self.pairs = list(pairs)
        self.wishes = wishes
        self.numbers = Numbers(run.talk)
        self.settings = Settings()
        self.pages: list[SpooledPage] = []
        self.dropped: set[int] = set()  # numbers of blank pages that are in no file
        self.seconds: dict[int, float] = {}
        self.device: dict[str, Any] = {}
        self.written: list[Any] = []
        self.display = display_for(options.progress or "auto", quiet=options.quiet)
        self.talk.before_message = self.display.clear
        self.talk.quiet, self.talk.json = options.quiet, options.json
        self.talk.verbose = options.verbose
        if options.progress == "json":
            self.talk.events = self.display.event

    def run(self) -> int:
        """Return the exit status; raises Failure."""
        options = self.options
        try:
            plan, ocr = self._plan("")
            with opened(options.device or "", self.talk, timeout=options.timeout) as scanner:
                self.device = facts(scanner.info)
                if self.wishes is not None and self.wishes.has_devices:
                    self.options = self.wishes.settled(scanner)
                    plan, ocr = self._plan(plan.password)
                return self._with(scanner, plan, ocr)
        except Exception as exc:
            if not hasattr(exc, "exit_code") and not isinstance(exc, Failure):
                raise
            failure = failure_of(exc)
            failure.result = self.result() if self.device else {}
            raise failure from exc
        finally:
            self.display.close()

    def _plan(self, password: str) -> tuple[Plan, Ocr | None]:
        """Return how pages become files; raises what is refused before the scan."""
        from ...pagework.ocr import find_ocr
        from ...pagework.writers import check_format
        from .plan import Plan

        plan = Plan(self.options, self.numbers, password)
        check_format(plan.format, pdfa=self.options.pdfa)
        ocr = None if self.options.ocr is None else find_ocr(self.options.ocr or None)
        if not plan.names_depend_on_device:
            plan.check("")
        return plan, ocr

    def _with(self, scanner: Scanner, plan: Plan, ocr: Ocr | None) -> int:
        pairs = [*self.options.driver_options, *self.pairs]
        self.settings = apply(scanner, wanted(self.options), pairs, self.talk)
        plan.check(short_name(scanner))
        if self.options.dry_run:
            return self._tell_plan(scanner, plan)
        return self._scan(scanner, plan, ocr)

    def _tell_plan(self, scanner: Scanner, plan: Plan) -> int:
        """Tell what would be done."""
        output = plan.name(1, short_name(scanner))
        steps = plan.described()
        if self.talk.json:
            more = {"dry_run": True, "output": output, "steps": steps}
            self.talk.emit({"status": "ok", **self.result(), **more})
            return OK
        say = self.talk.say
        say(f"scanner: {scanner.name}")
        for name, value in self.settings.applied.items():
            say(f"  {name}: {shown(value)}")
        say(f"page work: {', '.join(steps) or 'none'}")
        say(f"output: {output} ({plan.format})")
        return OK

    def _scan(self, scanner: Scanner, plan: Plan, ocr: Ocr | None) -> int:
        from ...pagework.pipeline import Pipeline
        from ...pagework.spool import Spool
        from .files import Files
        from .stack import Stack

        options = self.options
        files = Files(plan, short_name(scanner), ocr=ocr, talk=self.talk, display=self.display)
        self.written = files.written
        with (
            Spool() as spool,
            Pipeline(
                spool,
                plan.steps,
                format=plan.format,
                quality=options.quality or 75,
                lossless=options.lossless,
                keep_raw=options.keep_raw,
                on_page=self._page_done,
            ) as pipeline,
        ):
            stack = Stack(
                scanner,
                pipeline.put,
                options,
                display=self.display,
                talk=self.talk,
                stopping=self.stopping,
                keep=JPEG if plan.keeps_jpeg and JPEG in scanner.encoded else "",
            )
            self.seconds = stack.seconds
            stack.scan()
            self.pages = pipeline.end()
            scanner.close()  # nobody waits for OCR and disks to use it
            groups = files.arranged(self.pages, stack.fronts)
            kept = {page.number for group in groups for page in group}
            self.dropped = {page.number for page in self.pages} - kept
            if stack.is_interrupted or self.stopping.signal:
                self._save_partial(files, groups)
            elif groups:
                self._save(files, groups)
            return self._end(stack.failure, files, groups, plan)

    def _page_done(self, page: SpooledPage) -> None:
        """Tell that a page is through all steps; threads of page work call it, one at a time."""
        is_dropped = page.is_blank and (
            self.options.skip_blank is not None or self.options.split == "blank"
        )
        self.display.page_end(self._page_facts(page, is_dropped))
        if self.options.after_page and page.path:
            told = {"number": page.number, "device": self.device.get("name", "")}
            hooks.run(self.options.after_page, page.path, told, self.talk, must=False)
        if page.problem is not None:
            self.talk.warn(str(page.problem))
        for note in page.facts.get("notes", ()):
            self.talk.warn_once(note)

    def _page_facts(self, page: SpooledPage, is_dropped: bool) -> dict[str, Any]:
        seconds = round(self.seconds.get(page.number, 0.0), 3)
        return {**page.to_dict(), "seconds": seconds, "dropped": is_dropped}

    def _save(self, files: Files, groups: list[list[SpooledPage]]) -> None:
        """Write the files; Ctrl-C meanwhile leaves what is written, and saves the rest."""
        self.stopping.working()
        try:
            files.write(groups)
        except KeyboardInterrupt:
            self.stopping.closing()
            self._save_partial(files, groups[len(files.written) :])
        self.stopping.closing()

    def _save_partial(self, files: Files, groups: list[list[SpooledPage]]) -> None:
        from .files import counted

        if self.options.no_partial or not groups:
            return
        before = len(files.written)
        files.write(groups, partial=True)
        for done in files.written[before:]:
            self.talk.tell(f"interrupted; {counted(done.pages)} saved in {done.path}")

    def _end(
        self, failure: Failure | None, files: Files, groups: list[list[SpooledPage]], plan: Plan
    ) -> int:
        """Tell what was made; return the exit status, or raise what went wrong."""
        from .files import counted, nothing_left, told

        status = self.stopping.status
        if status:
            failure = Failure(status, "the scan was interrupted", pages_done=len(self.pages))
        elif failure is None and self.pages and not groups:
            failure = nothing_left(self.pages)
        elif failure is not None and self.written and not status:
            names = ", ".join(done.path for done in self.written)
            were = "was" if len(self.pages) == 1 else "were"
            self.talk.tell(f"{counted(len(self.pages))} {were} scanned before: {names}")
        bad = [page for page in self.pages if page.problem is not None]
        if failure is None and bad:
            numbers = ", ".join(str(page.number) for page in bad)
            failure = Failure(
                PROCESSING,
                f"page work failed on page {numbers}, which is in the file as it was scanned",
                pages_done=len(self.pages),
            )
        if failure is None or failure.status == PROCESSING:
            files.react()
        for done, group in zip(self.written, groups, strict=False):
            text = told(done, group, plan)
            if done.path == "-":
                self.talk.note(text, 0)
            elif not self.talk.json and not self.talk.quiet:
                self.talk.say(text)
        if failure is not None:
            failure.result = self.result()
            if failure.status >= INTERRUPTED:
                self._tell_interrupted(failure)
                return failure.status
            raise failure
        if self.talk.json:
            self.talk.emit({"status": "ok", **self.result()})
        return OK

    def _tell_interrupted(self, failure: Failure) -> None:
        """Print the JSON of an interrupted scan; the words were said."""
        if self.talk.json:
            self.talk.emit({**failure.result, "error": failure.to_dict()})

    def result(self) -> dict[str, Any]:
        """Return what the JSON says of this scan."""
        return {
            "files": [done.to_dict() for done in self.written],
            "pages": [self._page_facts(page, page.number in self.dropped) for page in self.pages],
            "device": self.device,
            "settings": self.settings.to_dict(),
            "warnings": list(self.talk.warnings),
        }


def short_name(scanner: Scanner) -> str:
    """Return what {device} in a file's name is: the model, or the name where it is unknown."""
    return scanner.info.model or scanner.name


def shown(value: Any) -> str:
    """Return a value of an option as people read it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
