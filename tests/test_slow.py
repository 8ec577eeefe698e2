"""What make check leaves out is there."""

from __future__ import annotations

import re

import pytest

from tests import ROOT
from tests.slow import Times, names


def test_functions_that_are_left_out_are_there() -> None:
    for name in names():
        file, *_, function = name.split("::")
        assert re.search(rf"\b{function}\b", (ROOT / file).read_text()), name


def test_the_cases_of_a_function_add_up() -> None:
    times = Times()
    for case, seconds in (("[a]", 0.15), ("[b]", 0.15), ("", 0.1)):
        name = f"tests/test_x.py::test_y{case}" if case else "tests/test_x.py::test_z"
        report = pytest.TestReport(
            name, ("", None, ""), {}, "passed", None, "call", duration=seconds
        )
        times.pytest_runtest_logreport(report)
    assert times.slow() == ["tests/test_x.py::test_y"]
