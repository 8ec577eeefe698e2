"""The reference of the Python modules: which classes and functions stand on which page.

Docstrings are prose with ``code`` and *names* in it, not reStructuredText: they are turned into
that here, so that no sign of a docstring can upset a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .pages import Pages

# Page, its title, a sentence, and what it shows: "module:kind names".
PAGES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        "scanning",
        "Scanners and pages",
        "What a program that scans uses; [Scanning from Python](../python-api.md) shows how.",
        (
            "class sane.Scanner sane.Page sane.Pages sane.Stream sane.RowBlock sane.Options",
            "class sane.Option sane.Range sane.Applied sane.Capabilities sane.Progress",
            "class sane.Parameters sane.Session",
            "function sane.devices sane.find sane.watch sane.configure sane.set_authorization",
            "class sane.DeviceList sane.DeviceInfo sane.DeviceEvent sane.Watcher",
        ),
    ),
    (
        "asyncio",
        "asyncio",
        "The same for programs with an event loop.",
        ("module sane.aio", "class sane.aio.Scanner"),
    ),
    ("errors", "Errors", "What goes wrong, by class.", ("members sane.errors",)),
    (
        "drivers",
        "Drivers",
        "The contract of a driver; [the guide](../driver-guide.md) shows drivers that use it.",
        (
            "class sane.backend.Device sane.backend.Backend sane.backend.UsbBackend",
            "class sane.backend.NetworkBackend sane.backend.Feeder sane.backend.Usb",
            "class sane.backend.Http sane.backend.Area sane.backend.Debug",
        ),
    ),
    ("options", "Options of drivers", "An option is one statement.", ("members sane.option",)),
    (
        "images",
        "From device rows to pages",
        "What drivers use to turn what a scanner sends into the rows of a frame.",
        ("members sane.image",),
    ),
    (
        "page-work",
        "Page work",
        "Straighten, cut, collate, write: [Page work](../page-work.md) shows how.",
        (
            "module sane.pagework",
            *(f"members sane.pagework.{name}" for name in ("steps", "pipeline", "order", "pdf")),
        ),
    ),
)
ELSEWHERE = "Range"  # stands on another page
SOURCE = re.compile(r"\s*\bSource: .*", re.S)  # to the end of its paragraph
TOKEN = re.compile(r"``[^`]+``|`[^`]+`|(?<![\w*])\*[A-Za-z_]\w*\*(?![\w*])|[*`|\\]|_\b(?!\w)")


def add_reference(pages: Pages) -> None:
    """Write the pages of the reference, and their list."""
    rows = []
    for name, title, about, shown in PAGES:
        pages.write(f"api/{name}", f"# {title}\n\n{about}\n\n" + "\n".join(map(blocks, shown)))
        rows.append(f"| [{title}]({name}.md) | {about} |")
    names = "\n".join(name for name, *_ in PAGES)
    table = "\n".join(["| page | about |", "|---|---|", *rows])
    tree = f"\n\n:::{{toctree}}\n:hidden:\n\n{names}\n:::\n"
    head = "# Reference of the modules\n\nMade from the docstrings of the code.\n\n"
    pages.write("api/index", head + table + tree)


def blocks(line: str) -> str:
    """Return the directives for one line of PAGES."""
    kind, *names = line.split()
    return "\n".join(block(kind, name) for name in names)


def block(kind: str, name: str) -> str:
    """Return the directive for *name*, as MyST passes it on."""
    form = {
        "class": f".. autoclass:: {name}\n   :members:\n",
        "function": f".. autofunction:: {name}\n",
        "module": f".. automodule:: {name}\n",
        "members": f".. automodule:: {name}\n   :members:\n   :exclude-members: {ELSEWHERE}\n",
    }[kind]
    return f"```{{eval-rst}}\n{form}```\n"


def paragraphs(lines: list[str]) -> Iterator[list[str]]:
    """Yield the paragraphs of *lines*."""
    found: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            found.append(line.rstrip())
        elif found:
            yield found
            found = []


def marked(text: str) -> str:
    """Return prose in reStructuredText: code and names marked, other signs as they are."""

    def one(match: re.Match[str]) -> str:
        sign = match[0]
        if sign.startswith("``"):
            return sign
        if sign.startswith("*") and len(sign) > 1:
            return rf"\ {sign}\ "  # whatever follows, as a bracket
        return f"``{sign[1:-1]}``" if len(sign) > 1 and sign[0] == "`" else f"\\{sign}"

    return TOKEN.sub(one, text)


def converted(lines: list[str]) -> list[str]:
    """Return a docstring's *lines* in reStructuredText; what it was made from is left out."""
    found: list[str] = []
    for paragraph in paragraphs(lines):
        if all(line.startswith("    ") for line in paragraph):
            found += ["::", "", *paragraph, ""]
            continue
        text = SOURCE.sub("", "\n".join(paragraph)).strip()
        if text:
            found += [*(line.strip() for line in marked(text).splitlines()), ""]
    return found
