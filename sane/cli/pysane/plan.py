"""What a scan is to become, settled before paper moves: format, names, steps, helpers.

It knows the command line and page work, and no scanner. Everything that can be refused is refused
here: a target that exists, a library or program that is missing, values that exclude each other.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime

from ...pagework import names, steps
from ...pagework.libraries import require
from .exits import OUTPUT, Failure, usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from ...pagework.steps import Step
    from .numbers import Numbers

PASSWORD = "PYSANE_PDF_PASSWORD"
EXCLUSIVE = (("append", "output"), ("pdfa", "encrypt"), ("collate", "manual_duplex"))
PDF_ONLY = ("pdfa", "title", "author", "keywords", "encrypt", "ocr", "ocr_sidecar")


class Plan:
    """How pages become files.

    format: one of names.FORMATS. template: of the files' names, "-" for stdout. append: a PDF
    that gets the pages, or "". steps: for each page. is_series: each page is a file of its own.
    """

    def __init__(self, options: argparse.Namespace, numbers: Numbers, password: str = "") -> None:
        """Look at the options; password: one that was asked for already."""
        self.options = options
        self._numbers = numbers
        self.when = datetime.now()
        self.append: str = options.append or ""
        if "" in (options.output, options.append):
            raise usage("the name of the output is empty")
        target = self.append or options.output
        if self.append == names.STDOUT:
            raise usage("--append needs a file, not standard output")
        self.format: str = names.format_for(target or "", options.format)
        self.template: str = names.template_for(target, self.format)
        self._check_format()
        self.collation = "reverse-backs" if options.manual_duplex else options.collate
        self.steps: list[Step] = steps.steps_for(**self._steps())
        self.password = password or self._password()
        self.has_number: bool = names.has_number(self.template)

    @property
    def is_stdout(self) -> bool:
        return self.template == names.STDOUT

    @property
    def is_series(self) -> bool:
        return self.format not in names.IN_ONE_FILE

    @property
    def may_have_many_files(self) -> bool:
        """Tell whether there may be several files."""
        return self.options.split is not None or (self.is_series and self.options.pages != 1)

    @property
    def keeps_jpeg(self) -> bool:
        """Tell whether a JPEG of the scanner's may go into the file untouched."""
        return self.format in ("pdf", "jpeg") and not self.steps and not self.options.lossless

    def _check_format(self) -> None:
        if self.format != "pdf":
            for name in PDF_ONLY:
                if getattr(self.options, name) not in (None, False):
                    option = name.replace("_", "-")
                    raise usage(f"--{option} makes sense for PDF only, not for {self.format}")
            if self.append:
                raise usage(f"--append adds to a PDF, not to {self.format}")
        if self.options.ocr_sidecar and self.options.ocr is None:
            raise usage("--ocr-sidecar needs --ocr")
        for one, other in EXCLUSIVE:
            if getattr(self.options, one) and getattr(self.options, other):
                both = (f"--{name.replace('_', '-')}" for name in (one, other))
                raise usage(f"{' and '.join(both)} exclude each other")
        if self.is_stdout:
            self._check_stdout()

    def _check_stdout(self) -> None:
        if sys.stdout is None:
            raise Failure(OUTPUT, "standard output is closed")
        if sys.stdout.isatty():
            text = "standard output is a terminal: an image would garble it"
            raise Failure(OUTPUT, text, "name a file: -o FILE")
        if self.options.json:
            raise usage("--json and -o - both want standard output")
        if self.options.split is not None:
            raise usage("--split makes several files; standard output is one")
        if self.is_series and self.format != "pnm":  # which may stand one after the other
            self.options.pages = 1

    def _steps(self) -> dict[str, Any]:
        options = self.options
        rotate = options.rotate
        crop = options.crop
        if crop is None and options.page_size == "auto":
            crop = "auto"
        blank = options.skip_blank
        if blank is None and options.split == "blank":
            from ...pagework.blank import DEFAULT_PERCENT

            blank = DEFAULT_PERCENT
        return {
            "rotate": rotate if rotate in (None, "auto") else int(rotate),
            "rotate_backs": None if options.rotate_backs is None else int(options.rotate_backs),
            "deskew": options.deskew,
            "crop": crop,
            "blank": blank,
            "white_background": options.white_background,
            "brightness": options.brightness or 0.0,
            "contrast": options.contrast or 0.0,
            "despeckle": options.despeckle,
            "threshold": options.threshold,
        }

    def _password(self) -> str:
        """Return the password of --encrypt: of the environment, or asked for on the terminal."""
        if not self.options.encrypt:
            return ""
        found = os.environ.get(PASSWORD, "")
        if not found and sys.stdin is not None and sys.stdin.isatty():
            from getpass import getpass

            found = getpass("Password of the PDF: ")
            if found != getpass("Once more: "):
                raise usage("the passwords differ")
        if not found:
            raise usage("--encrypt needs a password", f"set {PASSWORD} in the environment")
        return found

    @property
    def names_depend_on_device(self) -> bool:
        """Tell whether files are named after the device."""
        return "{device}" in self.template

    def name(self, place: int, device: str, *, is_one_of_several: bool = False) -> str:
        """Return the name of the file at *place*, from 1; several get numbers if they have none."""
        template = names.with_number(self.template) if is_one_of_several else self.template
        if not self.has_number:
            return self._expanded(template, place, device)
        is_new = not self.options.force

        def is_taken(number: int) -> bool:
            return is_new and os.path.lexists(self._expanded(template, number, device))

        number = self._numbers.of(template, place, is_taken)
        return self._expanded(template, number, device)

    def _expanded(self, template: str, number: int, device: str) -> str:
        return names.expand(
            template,
            when=self.when,
            number=number,
            device=device,
            profile=self.options.profile or "",
        )

    def check(self, device: str) -> None:
        """Raise PageWorkError if the first file cannot be written, or is there already."""
        force = self.options.force or bool(self.append)
        if self.is_stdout:
            return
        names.check_target(self.name(1, device), force=force)
        if self.append and os.path.exists(self.append):
            self._check_pdf(self.append)
        if self.may_have_many_files:
            names.check_target(self.name(1, device, is_one_of_several=True), force=force)

    def _check_pdf(self, path: str) -> None:
        """Raise Failure if pages cannot be added to the file at *path*."""
        pikepdf = require("pikepdf", "adding to a PDF")
        try:
            pikepdf.open(path, password=self.password).close()
        except pikepdf.PasswordError as exc:
            hint = f"--encrypt, with its password in {PASSWORD}"
            raise Failure(OUTPUT, f"{path} needs a password", hint) from exc
        except pikepdf.PdfError as exc:
            raise Failure(OUTPUT, f"{path} is no PDF that pages can be added to: {exc}") from exc

    def described(self) -> list[str]:
        """Return the names of what is done with each page."""
        found = [step.name for step in self.steps]
        if self.collation:
            found.append(f"collate {self.collation}")
        if self.options.split is not None:
            found.append(f"split {self.options.split}")
        if self.options.ocr is not None:
            found.append("ocr")
        return found
