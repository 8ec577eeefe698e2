"""Docstrings as the site shows them, and that the reference names what is there."""

from __future__ import annotations

import importlib

import pytest
from website.reference import PAGES, converted

NAMES = [
    (kind, name) for *_, lines in PAGES for kind, *names in map(str.split, lines) for name in names
]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Take *view* and ``a*b``."], ["Take \\ *view*\\  and ``a*b``.", ""]),
        (["A * b, c| and d_."], ["A \\* b, c\\| and d\\_.", ""]),
        (["Call `x`."], ["Call ``x``.", ""]),
        (["It waits.", "Source: specification 3.1", "and 3.2."], ["It waits.", ""]),
        (
            ["So:", "", "    a = *b", "", "Then."],
            ["So:", "", "::", "", "    a = *b", "", "Then.", ""],
        ),
        (["``usb 0x04b8", "0x0110`` is one."], ["``usb 0x04b8", "0x0110`` is one.", ""]),
    ],
)
def test_a_docstring_is_prose_with_code_and_names(lines: list[str], expected: list[str]) -> None:
    assert converted(lines) == expected


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_what_the_reference_shows_is_there(kind: str, name: str) -> None:
    if kind in ("module", "members"):
        assert importlib.import_module(name).__doc__
        return
    module, _, attribute = name.rpartition(".")
    found = getattr(importlib.import_module(module), attribute)
    assert found.__doc__
    assert isinstance(found, type) == (kind == "class")


def test_the_reference_has_all_that_the_api_promises() -> None:
    import sane

    left = {name for name in dir(sane) if name[0] != "_" and isinstance(getattr(sane, name), type)}
    left -= {name.rpartition(".")[2] for _, name in NAMES}
    left -= set(dir(sane.errors))  # on a page of its own
    assert left == {"SaneDev"}  # docs/python-sane.md
