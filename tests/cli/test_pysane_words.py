"""Command lines of pysane: what is understood, and what is said of what is not."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest

from sane.cli.pysane import exits, words
from sane.cli.pysane.exits import Failure
from sane.cli.pysane.main import COMMANDS, ended, main
from sane.cli.pysane.scan_options import parser
from sane.cli.pysane.talk import Talk
from sane.cli.pysane.words import Parser
from sane.cli.stopping import SIGNALS, Stopping
from tests import ROOT


@pytest.fixture
def handlers() -> Iterator[None]:
    """Give this process its signal handlers back: the program's are there until it ends."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def read(*arguments: str) -> dict[str, object]:
    return {name: value for name, value in vars(parser().read(arguments)).items() if value}


def refused(*arguments: str) -> Failure:
    with pytest.raises(Failure) as caught:
        parser().read(arguments)
    assert caught.value.status == exits.USAGE
    return caught.value


def test_operands_and_options_stand_in_any_order() -> None:
    found = read("epson", "-r", "300", "brightness=10", "-o", "x.pdf", "--", "-odd")
    assert found["operands"] == ["epson", "brightness=10", "-odd"]
    assert (found["dpi"], found["output"]) == (300, "x.pdf")


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (["--crop"], "crop", "auto"),
        (["--crop", "auto"], "crop", "auto"),
        (["--crop", "5"], "crop", 5.0),
        (["--crop=1cm"], "crop", 10.0),
        (["--crop", "epson"], "crop", "auto"),
        (["--crop", "--deskew"], "crop", "auto"),
        (["--skip-blank"], "skip_blank", 0.3),
        (["--skip-blank=2%"], "skip_blank", 2),
        (["--ocr"], "ocr", ""),
        (["--ocr=deu"], "ocr", "deu"),
        (["--area", "0,1cm,1in,30"], "area", (0, 10, 25.4, 30)),
        (["--area", "MAX"], "area", "max"),
        (["--page-size", "A4"], "page_size", "a4"),
        (["--page-size", "8.5x11in"], "page_size", "8.5x11in"),
        (["--page-size", "210x297"], "page_size", "210x297mm"),
        (["-r", "max"], "dpi", "max"),
        (["-m", "Grey"], "mode", "gray"),
        (["--format", "JPG"], "format", "jpeg"),
        (["--split", "3"], "split", 3),
        (["-s", "x=1", "--set", "y=a=b"], "set", [("x", "1"), ("y", "a=b")]),
    ],
)
def test_a_value_is_understood(arguments: list[str], name: str, value: object) -> None:
    assert vars(parser().read(arguments))[name] == value


def test_a_value_that_may_be_left_out_takes_no_device() -> None:
    found = read("--ocr", "epson")
    assert found["operands"] == ["epson"]
    assert read("--crop", "5", "epson")["operands"] == ["epson"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--dip", "300"], "unknown option --dip; did you mean --dpi"),
        (["--resolutio=300"], "unknown option --resolutio; did you mean --dpi?"),
        (["--batch-count=3"], "unknown option --batch-count; did you mean --pages?"),
        (["--fomat", "png"], "unknown option --fomat; did you mean --format?"),
        (["--skip-blanks"], "unknown option --skip-blanks; did you mean --skip-blank"),
        (["-m", "colour-ish"], "'colour-ish' is none of color, gray, lineart; did you mean color"),
        (["-r", "0"], "0 is not within 1 to"),
        (["-r", "nan"], "nan is not within"),
        (["--depth", "deep"], "'deep' is not a number"),
        (["--depth", "9"], "invalid choice: 9 (choose from 8, 16)"),
        (["-n", "1.5"], "1.5 is not a whole number"),
        (["--area", "1,2,3"], "'1,2,3' is not LEFT,TOP,WIDTH,HEIGHT"),
        (["--area", "0,0,0,5"], "the area is empty"),
        (["--page-size", "a99"], "'a99' is none of"),
        (["--page-size", "0x5mm"], "'0x5mm' is none of"),
        (["--crop=5km"], "'5km' is no length"),
        (["-s", "brightness"], "'brightness' is not NAME=VALUE"),
        (["--split", "0"], "'0' is no number of pages"),
        (["--split", "patch-t"], "patch-t"),
        (["-o"], "expected one argument"),
        (["--quality", "101"], "101 is not within 1 to 100"),
        (["--progress", "loud"], "invalid choice"),
    ],
)
def test_a_mistake_is_named(arguments: list[str], text: str) -> None:
    failure = refused(*arguments)
    message = failure.message.replace("'9'", "9").replace("'8', '16'", "8, 16")  # 3.13, 3.14 quote
    assert text in message
    assert failure.hint.endswith("see pysane scan --help")


def test_options_are_never_abbreviated() -> None:
    failure = refused("--resol", "5")
    assert "unknown option --resol" in failure.message
    assert "options of the driver go without dashes, as NAME=VALUE" in failure.hint


@pytest.mark.parametrize(
    ("word", "is_one"),
    [("mode=Color", True), ("tl-x=5", True), ("net:host:test:0", False), ("a b=c", False)],
)
def test_an_operand_is_a_setting_or_a_device(word: str, is_one: bool) -> None:
    assert words.is_setting(word) is is_one


def parsers() -> list[Parser]:
    from importlib import import_module

    return [
        import_module(f".{module}", "sane.cli.pysane").parser() for module, _ in COMMANDS.values()
    ]


@pytest.mark.parametrize("made", parsers(), ids=lambda made: made.prog)
def test_help_fits_a_terminal_and_names_every_option(
    made: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    text = made.format_help()
    assert max(map(len, text.splitlines())) <= 100
    for name in made.names():
        assert re.search(rf"(?<![\w-]){name}(?![\w-])", text), name


def manual(name: str) -> str:
    return (ROOT / "docs" / "man" / name).read_text().replace("\\-", "-")


def test_the_manual_names_every_option_of_scan_and_no_other() -> None:
    text = manual("pysane.1")
    known = {name for made in parsers() for name in made.names()} | {"--help", "--version", "--fix"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text))
    assert {name for name in parser().names() if name.startswith("--")} <= named
    assert named <= known


def test_the_manual_has_the_table_of_exit_statuses() -> None:
    text = manual("pysane.1")
    told = dict(re.findall(r"^\.TP\n\.B (\d+)\n(.*)\.$", text, re.M))
    table = {str(status): said for status, (_, said) in exits.TABLE.items()}
    assert {number: said.lower() for number, said in told.items()} == {
        number: said.lower() for number, said in table.items()
    }


def test_every_status_has_a_name_of_its_own() -> None:
    names = [name for name, _ in exits.TABLE.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "no command"),
        (["scna"], "unknown command scna; did you mean scan"),
        (["--lsit"], "unknown option --lsit"),
        (["list", "x"], "'x' is one word too many"),
        (["completion"], "one shell is wanted"),
        (["completion", "zhs"], "unknown shell 'zhs'; did you mean zsh"),
    ],
)
@pytest.mark.usefixtures("handlers")
def test_a_wrong_command_ends_with_64(
    capfd: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    assert main(arguments) == exits.USAGE
    told = capfd.readouterr()
    assert text in told.err
    assert told.out == ""


class NoSignal(Stopping):
    """Signals, none of which has come; it leaves this process's handlers alone."""

    def __init__(self) -> None:
        self.signal = 0


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, ValueError])
def test_what_nobody_expects_is_told_and_is_no_success(
    kind: type[BaseException], capfd: pytest.CaptureFixture[str]
) -> None:
    """SystemExit passed for that of argparse, after --help: nothing was said, the status was 0."""

    def work() -> int:
        raise kind

    assert ended(work, Talk(), stopping=NoSignal()) == exits.PROCESSING
    assert f"a mistake in pysane: {kind.__name__}\n" in capfd.readouterr().err


def test_help_is_a_success(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "--help"]) == 0
    assert "usage: pysane scan" in capfd.readouterr().out
