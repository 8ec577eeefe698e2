"""Area helpers: programs and packages that page work needs, and their versions.

It knows where they are found and what they print; it works with none of them.
Source: python-api-and-cli 12.7 to 12.9.
"""

from __future__ import annotations

import re

from .finding import OK, UNKNOWN, WARNING, Finding
from .packages import install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .machine import Machine

VERSION = re.compile(r"\d+(?:\.\d+)+")
# Distribution, what it is for, the extra of sane-stack that brings it, Debian's package, and the
# oldest version that is tested: Debian 12's.
PACKAGES = (
    ("numpy", "pages as arrays", "", "python3-numpy", "1.24"),
    ("rich", "progress bars", "cli", "python3-rich", "13.3"),
    ("Pillow", "JPEG, TIFF and WebP files", "cli", "python3-pil", "9.4"),
    ("pikepdf", "PDF files", "cli", "python3-pikepdf", "6.0"),
    ("opencv-python-headless", "deskew and crop", "pages", "python3-opencv", "4.6"),
)
ALSO_AS = {"opencv-python-headless": ("opencv-python", "opencv-contrib-python-headless", "opencv")}
LANGUAGES = {  # tesseract's names of the languages of locales
    **{"de": "deu", "en": "eng", "fr": "fra", "es": "spa", "it": "ita", "nl": "nld"},
    **{"pt": "por", "pl": "pol", "cs": "ces", "da": "dan", "sv": "swe", "nb": "nor"},
    **{"fi": "fin", "hu": "hun", "ru": "rus", "uk": "ukr", "el": "ell", "tr": "tur"},
    **{"ja": "jpn", "ko": "kor", "zh": "chi_sim", "ro": "ron", "sk": "slk", "bg": "bul"},
}


def version_of(machine: Machine, program: str, *options: str) -> str:
    """Return the version that *program*, a path, prints; "" if it prints none."""
    found = VERSION.search(machine.output(program, *options))
    return machine.private.keep(found[0]) if found else ""


def tesseract(machine: Machine) -> Iterator[Finding]:
    """Whether tesseract reads texts, in the language of this user."""
    program = machine.program("tesseract")
    if not program:
        text = "tesseract is not installed: no text can be read out of pages (--ocr)."
        yield Finding(WARNING, text, install(machine, "tesseract-ocr"))
        return
    version = version_of(machine, program, "--version")
    lines = machine.output(program, "--list-langs").split()
    known = sorted(set(re.findall(r"^[a-z]{3}(?:_\w+)?$", "\n".join(lines), re.M)) - {"osd"})
    wanted = language(machine)
    shown = ", ".join(known) or "no language"
    if wanted and wanted not in known:
        text = f"tesseract {version} reads {shown}, and not {wanted}, the language of this user."
        package = f"tesseract-ocr-{wanted.replace('_', '-')}"
        yield Finding(WARNING, text, install(machine, package))
    elif not known:
        text = f"tesseract {version} has no language."
        yield Finding(WARNING, text, install(machine, "tesseract-ocr-eng"))
    else:
        yield Finding(OK, f"tesseract {version} reads {shown}.")


def language(machine: Machine) -> str:
    """Return tesseract's name of the language of this user's locale, "" if none is set."""
    variables = machine.variables
    locale = next(
        (text for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (text := variables.get(name))), ""
    )
    return LANGUAGES.get(locale.partition(".")[0].partition("_")[0], "")


def ocrmypdf(machine: Machine) -> Iterator[Finding]:
    """Whether ocrmypdf is there, by which searchable PDFs are made."""
    program = machine.program("ocrmypdf")
    if not program:
        text = "ocrmypdf is not installed: searchable PDFs are made by tesseract alone."
        yield Finding(WARNING, text, install(machine, "ocrmypdf"))
        return
    version = version_of(machine, program, "--version")
    if version:
        yield Finding(OK, f"ocrmypdf {version} makes searchable PDFs.")
    else:
        text = f"{program} does not tell its version: it does not start."
        yield Finding(WARNING, text, f"{program} --version")


def pdfa(machine: Machine) -> Iterator[Finding]:
    """Whether PDF/A can be made by ocrmypdf, and checked."""
    ghostscript, verapdf = machine.program("gs"), machine.program("verapdf")
    found = []
    for name, program in (("Ghostscript", ghostscript), ("veraPDF", verapdf)):
        if program:
            found.append(f"{name} {version_of(machine, program, '--version')}".strip())
    if found:
        yield Finding(OK, f"For PDF/A there is {' and '.join(found)}.")
    else:
        text = (
            "Neither Ghostscript nor veraPDF is installed: OCRmyPDF cannot make PDF/A, and nobody "
            "checks it."
        )
        yield Finding(WARNING, text, install(machine, "ghostscript"))


def package(
    name: str, use: str, extra: str, debian: str, least: str
) -> Callable[[Machine], Iterator[Finding]]:
    """Return the check of one Python package."""

    def look(machine: Machine) -> Iterator[Finding]:
        version = installed(name)
        command = (
            f"python3 -m pip install {quoted_requirement(extra, name)}  # or: apt install {debian}"
        )
        if not version:
            text = f"The Python package {name} is not installed; it is for {use}."
            yield Finding(WARNING, text, command)
            return
        shown = machine.private.keep(version)
        if not numbers(version):
            yield Finding(UNKNOWN, f"The Python package {name} has the version {shown}.")
        elif numbers(version) < numbers(least):
            text = f"The Python package {name} {shown} is older than {least}, the oldest tested."
            yield Finding(WARNING, text, command)
        else:
            yield Finding(OK, f"The Python package {name} {shown} is there, for {use}.")

    return look


def quoted_requirement(extra: str, name: str) -> str:
    """Return what pip is to install."""
    return f"'sane-stack[{extra}]'" if extra else name


def installed(name: str) -> str:
    """Return the version of a Python package, "" if it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    for one in (name, *ALSO_AS.get(name, ())):
        try:
            return version(one)
        except PackageNotFoundError:
            continue
    return ""


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers at the start of a version."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()
