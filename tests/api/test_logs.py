"""Debug messages as records of logging: their loggers and levels, and silence."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from sane.config import Environment
from sane.debug import Debug
from sane.logs import Log
from tests import TREE


def debug(name: str, **variables: str) -> Debug:
    environment = Environment(variables)
    environment.log = Log()
    return Debug(name, environment)


@pytest.mark.parametrize(
    ("level", "expected"),
    [(0, logging.ERROR), (1, logging.WARNING), (2, logging.INFO), (3, logging.DEBUG), (9, 10)],
)
@pytest.mark.parametrize(("name", "logger"), [("net", "sane.backend.net"), ("dll", "sane.dll")])
def test_a_message_is_a_record(
    caplog: pytest.LogCaptureFixture, name: str, logger: str, level: int, expected: int
) -> None:
    with caplog.at_level(logging.DEBUG, "sane"):
        debug(name)(level, "%d of %s, 5 %%", 3, "four")
    assert caplog.record_tuples == [(logger, expected, "3 of four, 5 %")]


def test_what_nobody_listens_to_is_not_made(caplog: pytest.LogCaptureFixture) -> None:
    class Never:
        def __str__(self) -> str:
            raise AssertionError("formatted")

    with caplog.at_level(logging.WARNING, "sane"):
        found = debug("net")
        found(2, "%s", Never())
        assert not found.on(2)
        assert found.on(1)
    assert not caplog.records


def test_a_dump_is_a_record_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "sane"):
        debug("net").dump(5, "sent", b"100%")
    assert "31 30 30 25" in caplog.text


PROGRAM = """
import sys
if len(sys.argv) > 1:
    import logging
import sane
with sane.Session(backends=["test"]) as session:
    with session.scanner("test:0") as scanner:
        scanner.options.read_return_value = "SANE_STATUS_IO_ERROR"
        try:
            scanner.scan()
        except sane.DeviceIOError:
            pass
assert len(sys.argv) > 1 or "logging" not in sys.modules
"""


@pytest.mark.parametrize("arguments", [[], ["logging"]])
def test_nothing_is_printed(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={"PYTHONPATH": str(TREE)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
