"""Searchable PDFs: OCR programs that are found on the path and run, never imported.

OCRmyPDF makes a PDF of a PDF; without it tesseract gives a page of invisible text for each page,
which is laid over ours. It knows their arguments. Source: ocrmypdf(1), tesseract(1);
specification python-api-and-cli 12.7.
"""

from __future__ import annotations

import os

from .problem import HELPER, PageWorkError, output_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .spool import SpooledPage

LANGUAGE = "eng"
PAGE_SECONDS = 180.0  # that a program may take for a page
START_SECONDS = 60.0  # beside them, and to list its languages
SHOWN_CHARS = 300  # of a program's complaint
INSTALL = "apt install ocrmypdf tesseract-ocr, or pip install ocrmypdf"


class Ocr:
    """An OCR program that is there, and the languages it is to read, as "eng+deu".

    name: "ocrmypdf" or "tesseract". page_seconds: it may take for each page.
    """

    def __init__(
        self, name: str, program: str, language: str, page_seconds: float = PAGE_SECONDS
    ) -> None:
        self.name = name
        self.program = program
        self.language = language
        self.page_seconds = page_seconds

    @property
    def takes_documents(self) -> bool:
        """Whether it makes a PDF of a PDF, and not one page of one picture."""
        return self.name == "ocrmypdf"

    def make_searchable(
        self, source: str, target: str, *, pages: int, pdfa: bool = False, sidecar: str = ""
    ) -> None:
        """Make the PDF *target* of the PDF *source*; sidecar: a path for its text, too.

        Raises PageWorkError; the source is as it was.
        """
        kind = "pdfa-2" if pdfa else "pdf"
        command = [self.program, "-l", self.language, "--output-type", kind, "--skip-text"]
        command += ["--sidecar", sidecar] if sidecar else []
        _run([*command, source, target], START_SECONDS + pages * self.page_seconds)
        if not os.path.exists(target):
            raise PageWorkError(f"{self.program} has made no PDF")

    def text_layer(self, page: SpooledPage, base: str) -> tuple[bytes, str]:
        """Return a PDF of one page with the page's text, invisible, and the text itself.

        base: a path; files beside it are made and removed. Raises PageWorkError.
        """
        picture = page.path or f"{base}.image"
        made = [f"{base}.pdf", f"{base}.txt"]
        dpi = str(max(70, round(page.dpi[0])))
        command = [self.program, picture, base, "-l", self.language, "--dpi", dpi]
        command += ["-c", "textonly_pdf=1", "pdf", "txt"]
        try:
            if not page.path:
                made.append(picture)
                with open(picture, "wb") as file:
                    file.write(page.read())
            _run(command, START_SECONDS + self.page_seconds)
            with open(made[0], "rb") as pdf, open(made[1], encoding="utf-8") as text:
                return pdf.read(), text.read()
        except (OSError, UnicodeDecodeError) as exc:
            raise PageWorkError(f"{self.program} has made no text: {exc}") from exc
        finally:
            for path in made:
                if os.path.exists(path):
                    os.unlink(path)


def find_ocr(language: str | None = None, page_seconds: float = PAGE_SECONDS) -> Ocr:
    """Return the OCR program of this machine: ocrmypdf, else tesseract.

    language: what tesseract calls it, several joined by "+"; English by default. Raises
    PageWorkError (exit code 69) without a program, or without the language, before a page is
    scanned.
    """
    from shutil import which

    language = language or LANGUAGE
    tesseract = which("tesseract")
    if tesseract is not None:
        _check_languages(tesseract, language)
    for name in ("ocrmypdf", "tesseract"):
        program = which(name)
        if program is not None:
            return Ocr(name, program, language, page_seconds)
    raise PageWorkError("OCR needs ocrmypdf or tesseract", hint=INSTALL, exit_code=HELPER)


def _check_languages(tesseract: str, language: str) -> None:
    """Raise PageWorkError for a language that tesseract lists as missing."""
    try:
        listed = _run([tesseract, "--list-langs"], START_SECONDS)
    except PageWorkError as exc:
        exc.exit_code = HELPER
        raise
    known = {line.strip() for line in listed.splitlines()[1:]}
    absent = [name for name in language.split("+") if name not in known]
    if absent and known:
        raise PageWorkError(
            f"OCR in {language} needs tesseract's language {', '.join(absent)}",
            hint=f"apt install {' '.join(f'tesseract-ocr-{name}' for name in absent)}",
            exit_code=HELPER,
        )


def text_layers(
    ocr: Ocr, pages: Sequence[SpooledPage], scratch: str
) -> tuple[dict[SpooledPage, bytes], list[str], list[PageWorkError]]:
    """Return the text layers of *pages*, their texts, and what failed: such a page has none.

    Several programs run at once. scratch: a folder. The layers lie in memory, some kilobytes each.
    """
    from concurrent.futures import ThreadPoolExecutor

    def read(place: int) -> tuple[bytes, str] | PageWorkError:
        try:
            return ocr.text_layer(pages[place], os.path.join(scratch, f"ocr-{place}"))
        except PageWorkError as exc:
            return PageWorkError(f"page {pages[place].number} has no text: {exc}", hint=exc.hint)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = list(pool.map(read, range(len(pages))))
    layers: dict[SpooledPage, bytes] = {}
    texts: list[str] = []
    failed: list[PageWorkError] = []
    for page, result in zip(pages, found, strict=True):
        if isinstance(result, PageWorkError):
            failed.append(result)
            texts.append("")
        else:
            layers[page] = result[0]
            texts.append(result[1])
    return layers, texts, failed


def _run(command: list[str], seconds: float) -> str:
    """Run a program to its end; return what it prints. Raises PageWorkError for a failure."""
    import signal
    import subprocess

    name = os.path.basename(command[0])
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}  # several of them run at once
    try:
        # A session of its own: the programs that it starts end with it.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except OSError as exc:
        error = output_error(command[0], exc, "cannot run")
        error.exit_code = HELPER
        raise error from exc
    with process:
        try:
            out, err = process.communicate(timeout=seconds)
        except BaseException as exc:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(exc, subprocess.TimeoutExpired):
                raise PageWorkError(f"{name} did not end within {seconds:g} s") from exc
            raise
    if process.returncode:
        said = err.decode("utf-8", "replace").strip() or out.decode("utf-8", "replace").strip()
        said = said[-SHOWN_CHARS:]
        raise PageWorkError(f"{name} failed with status {process.returncode}: {said}")
    return out.decode("utf-8", "replace")
