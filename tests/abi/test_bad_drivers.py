"""Drivers that misbehave, called from C: a status, a debug line, and the others go on."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from sane import const
from tests import cc
from tests.abi import running
from tests.conftest import PREFIX

HERE = Path(__file__).resolve().parent / "drivers_bad"
TIMEOUT = 40
GOOD, IO_ERROR = const.STATUS_GOOD, const.STATUS_IO_ERROR
WHOLE = ("start", "readall", "100")
# Another device of another backend scans, whole, in the same process.
OTHER = ("open", "test:0", *WHOLE, "cancel", "close")
OTHER_GOES_ON = [("open", 0), ("start", 0), ("readall", 5), ("cancel", 0), ("close", 0)]
OTHER_BYTES = 157 * 196


class Result(NamedTuple):
    """One call: its status, its length (or count, value, info), and how long it took."""

    call: str
    status: int
    length: int
    ms: float


class Talk(NamedTuple):
    """What a client's calls gave, the other lines on stdout, and stderr."""

    results: list[Result]
    lines: list[str]
    said: str

    def of(self, call: str) -> Result:
        return next(result for result in self.results if result.call == call)


class Client:
    """Runs client.c with the bad drivers dropped in."""

    def __init__(self, program: Path, drivers: Path, environment: dict[str, str]) -> None:
        self.program = program
        self.drivers = drivers
        self.environment = {**environment, "PYSANE_BACKEND_PATH": str(drivers)}

    def __call__(self, *commands: str, **variables: str) -> Talk:
        try:
            done = subprocess.run(
                [self.program, *commands],
                env={**self.environment, **variables},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            pytest.fail(f"hangs after {exc.stdout!r}, {exc.stderr!r}")
        assert done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}"
        results = [
            Result(call, int(status), int(length), float(ms))
            for call, status, length, ms in re.findall(
                r"^=(\S+) (-?\d+) (-?\d+) (\d+)$", done.stdout, re.M
            )
        ]
        lines = [line for line in done.stdout.splitlines() if not line.startswith("=")]
        return Talk(results, lines, done.stderr)

    def faulty(self, fault: str, *commands: str, **variables: str) -> Talk:
        """Open device *fault*, run *commands*, close it, then scan with another device."""
        talk = self("open", f"bad:{fault}", *commands, "close", *OTHER, **variables)
        count = len(OTHER_GOES_ON)
        assert [(result.call, result.status) for result in talk.results[-count:]] == OTHER_GOES_ON
        assert talk.results[-count + 2].length == OTHER_BYTES
        assert not [line for line in talk.lines if line.startswith("written")]
        return talk._replace(results=talk.results[:-count])


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    flags = ("-O1", "-g", "-Wall", "-Wextra", "-Werror", f"-I{cc.INCLUDE}", "-pthread")
    library = (f"-L{PREFIX / 'lib'}", "-lsane")
    out = tmp_path_factory.mktemp("bad") / "client"
    return cc.compile_program(HERE / "client.c", out, *flags, *library)


@pytest.fixture
def client(
    program: Path, staged_environment: dict[str, str], config_dir: Path, tmp_path: Path
) -> Client:
    drivers = tmp_path / "drivers"
    drivers.mkdir(mode=0o755)
    shutil.copyfile(HERE / "bad.py", drivers / "bad.py")
    (drivers / "bad.py").chmod(0o644)
    (config_dir / "dll.conf").write_text("test\nbad\n")
    return Client(program, drivers, staged_environment)


def line_with(text: str, *parts: str) -> str:
    """Return the line of *text* that has all *parts*; there is one."""
    found = [line for line in text.splitlines() if all(part in line for part in parts)]
    assert len(found) == 1, (parts, text)
    return found[0]


def test_the_good_driver_scans(client: Client) -> None:
    talk = client.faulty("good", "options", "params", *WHOLE, "cancel")
    assert talk.of("readall")[1:3] == (const.STATUS_EOF, 512)
    assert talk.of("options").length == 2
    assert talk.said == ""


# Exceptions

STATUS = {
    "os_error": IO_ERROR,
    "permission_error": const.STATUS_ACCESS_DENIED,
    "memory_error": const.STATUS_NO_MEM,
    "keyboard_interrupt": IO_ERROR,
    "system_exit": IO_ERROR,
    "key_error": IO_ERROR,
    "stop_iteration": IO_ERROR,
    "jammed": const.STATUS_JAMMED,
    "no_docs": const.STATUS_NO_DOCS,
}
MISTAKES = ("memory_error", "keyboard_interrupt", "system_exit", "key_error", "stop_iteration")
COMMANDS = {
    "open": (),
    "parameters": ("params",),
    "start": ("start",),
    "read": ("start", "read", "100"),
    "button": ("press", "button"),
}
ANSWERS = {"parameters": "params", "button": "press"}


@pytest.mark.parametrize("what", STATUS)
@pytest.mark.parametrize("call", COMMANDS)
def test_an_exception_is_a_status(client: Client, call: str, what: str) -> None:
    talk = client.faulty(f"{call}_raises_{what}", *COMMANDS[call])
    result = talk.of(ANSWERS.get(call, call))
    assert result.status == STATUS[what]
    if call == "read":
        assert result.length == 0
    if what in MISTAKES:
        assert line_with(talk.said, "] ", "bad.py:")
    else:
        assert talk.said == ""


@pytest.mark.parametrize("what", STATUS)
@pytest.mark.parametrize("call", ["finish", "close"])
def test_an_exception_at_the_end_harms_nothing(client: Client, call: str, what: str) -> None:
    talk = client.faulty(f"{call}_raises_{what}", *WHOLE, "cancel")
    assert talk.of("readall")[1:3] == (const.STATUS_EOF, 512)
    if what in MISTAKES:
        assert line_with(talk.said, f"[bad] {call}: ", "bad.py:")


@pytest.mark.parametrize("what", STATUS)
def test_an_error_of_read_stays_until_start(client: Client, what: str) -> None:
    talk = client.faulty(f"read_raises_{what}", "start", "read", "9", "read", "9", "start")
    assert [result.status for result in talk.results[1:5]] == [0, STATUS[what], STATUS[what], 0]


def test_a_mistake_names_driver_call_file_and_line(client: Client) -> None:
    talk = client.faulty("read_raises_key_error", "start", "read", "9")
    number = 1 + (HERE / "bad.py").read_text().splitlines().index(
        '            raise RAISED[self.fault.partition("_raises_")[2]]'
    )
    said = line_with(talk.said, "[bad] read_into: KeyError: 'mistake'")
    assert said.endswith(f"({client.drivers}/bad.py:{number})")


def test_a_status_is_shown_at_level_1(client: Client) -> None:
    talk = client.faulty("read_raises_jammed", "start", "read", "9", SANE_DEBUG_BAD="1")
    assert line_with(talk.said, "[bad] read_into: Jammed: paper")


# Wrong answers


@pytest.mark.parametrize("what", ["more", "huge", "negative", "none", "str", "float", "view"])
def test_an_impossible_answer_of_read_into_is_an_io_error(client: Client, what: str) -> None:
    talk = client.faulty(f"read_returns_{what}", "start", "read", "100", "read", "100")
    assert [result[1:3] for result in talk.results[2:4]] == [(IO_ERROR, 0)] * 2
    assert "[bad] read_into: Misbehaved: read_into returned " in talk.said


@pytest.mark.parametrize(
    "what", ["none", "tuple", "format", "depth", "negative", "zero", "huge", "text"]
)
def test_impossible_parameters_are_an_io_error(client: Client, what: str) -> None:
    talk = client.faulty(f"parameters_return_{what}", "params", "start", "read", "9")
    assert talk.of("params").status == talk.of("start").status == IO_ERROR
    assert talk.of("read")[1:3] == (const.STATUS_INVAL, 0)
    assert "[bad] get_parameters: " in talk.said or "[bad] parameters: " in talk.said
    assert "[bad] start: " in talk.said


def test_an_open_device_that_cannot_be_used_nor_closed_is_an_io_error(client: Client) -> None:
    talk = client.faulty("undescribed", "open", "bad:undescribed")
    assert [result.status for result in talk.results if result.call == "open"] == [IO_ERROR] * 2
    assert "KeyError" in talk.said or "surrogates" in talk.said


@pytest.mark.parametrize("what", ["none", "text", "class"])
def test_open_that_returns_no_device_is_an_io_error(client: Client, what: str) -> None:
    talk = client.faulty(f"open_returns_{what}")
    assert talk.of("open").status == IO_ERROR
    assert line_with(talk.said, "[dll] backend bad: open: ", "not a Device")


def test_a_device_without_any_method_answers_all_calls(client: Client) -> None:
    talk = client.faulty("nothing", "options", "params", "start", "read", "9", "cancel")
    assert talk.of("options").length == 1
    assert talk.of("params").status == talk.of("start").status == IO_ERROR
    assert "[bad] start: NotImplementedError" in talk.said


def test_a_device_whose_conditions_fail_cannot_be_opened(client: Client) -> None:
    talk = client.faulty("no_init")
    assert talk.of("open").status == IO_ERROR
    assert line_with(talk.said, "[dll] backend bad: open: AttributeError", "bad.py:")


def test_a_reader_that_is_no_capsule_is_an_io_error(client: Client) -> None:
    talk = client.faulty("wrong_reader", *WHOLE)
    assert talk.of("readall").status in (IO_ERROR, const.STATUS_EOF)
    assert "[bad] reader: " in talk.said


@pytest.mark.parametrize("what", ["empty", "text", "huge", "number"])
def test_a_senseless_constraint_changes_nothing(client: Client, what: str) -> None:
    commands = ("set", "choose", "1", "get", "dependent", "get", "last", "get", "choose")
    talk = client.faulty(f"constraint_{what}", *commands, *WHOLE)
    assert talk.of("set").status == IO_ERROR or talk.of("set").status == const.STATUS_INVAL
    values = [result[1:3] for result in talk.results if result.call == "get"]
    assert values == [(GOOD, 5), (GOOD, 0), (GOOD, 0)]
    assert talk.of("readall")[1:3] == (const.STATUS_EOF, 512)


# The view that is lent


@pytest.mark.parametrize("what", ["slice", "cast"])
def test_a_driver_that_keeps_its_view_is_found_out(client: Client, what: str) -> None:
    talk = client.faulty(f"keeps_{what}", "start", "read", "100")
    assert talk.of("read")[1:3] == (IO_ERROR, 0)
    assert line_with(talk.said, "[bad] read_into: ", "keeps the view")


@pytest.mark.parametrize("what", ["view", "slice", "cast"])
def test_a_view_that_was_kept_reaches_nothing_later(client: Client, what: str) -> None:
    """The frontend's buffer is gone when the driver writes to what it kept."""
    reading = ("start", "read", "100", "read", "100")
    talk = client.faulty(f"keeps_{what}", *reading, *reading)
    assert {result.status for result in talk.results} <= {GOOD, IO_ERROR}
    assert "[bad] read_into: " in talk.said


def test_writing_past_the_view_is_an_io_error(client: Client) -> None:
    talk = client.faulty("writes_past", "start", "read", "100")
    assert talk.of("read")[1:3] == (IO_ERROR, 0)
    assert line_with(talk.said, "[bad] read_into: IndexError", "bad.py:")


def test_a_view_that_the_driver_releases_does_no_harm(client: Client) -> None:
    talk = client.faulty("releases", "start", "read", "100")
    assert talk.of("read")[1:3] in ((GOOD, 64), (IO_ERROR, 0))


def test_what_a_driver_prints_is_no_image(client: Client) -> None:
    talk = client.faulty("prints", *WHOLE)
    assert talk.of("readall")[1:3] == (const.STATUS_EOF, 512)
    assert talk.lines == []
    assert "printed by a driver" in talk.said


# Calls that never return


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [("spins", 3), ("sleeps", 3), ("thread_dead", 8)],
)
def test_cancel_ends_a_read_that_never_returns(client: Client, fault: str, seconds: float) -> None:
    talk = client.faulty(fault, "cancel-when-told", "start", "read", "100", "read", "100")
    assert talk.of("read")[1:3] in ((const.STATUS_CANCELLED, 0), (IO_ERROR, 0))
    assert sum(result.ms for result in talk.results) < seconds * 1000


def test_cancel_ends_a_start_that_never_returns(client: Client) -> None:
    talk = client.faulty("start_dead", "cancel-when-told", "start")
    assert talk.of("start").status in (const.STATUS_CANCELLED, IO_ERROR)
    assert talk.of("start").ms < 3000


def test_a_driver_that_ignores_even_the_interrupt_is_named(client: Client) -> None:
    """Nothing ends such a read; but frontend and user learn who is to blame."""
    command = [
        str(client.program),
        "open",
        "bad:sleeps_deaf",
        "cancel-when-told",
        "start",
        "read",
        "9",
    ]
    process = subprocess.Popen(
        command,
        env=client.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "[bad] read_into: " in line:
                break
        else:
            pytest.fail("the driver is not named")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("fault", ["open_dead", "open_late"])
def test_a_constructor_that_never_returns_is_given_up(client: Client, fault: str) -> None:
    talk = client.faulty(fault, PYSANE_OPEN_TIMEOUT="0.3")
    assert talk.of("open").status == IO_ERROR
    assert 250 < talk.of("open").ms < 2000
    assert line_with(talk.said, "backend bad: open has not returned after 0.3 s")


# Listing


@pytest.mark.parametrize("what", STATUS)
def test_a_list_that_raises_costs_only_its_own(client: Client, what: str) -> None:
    talk = client("list", *OTHER, PYSANE_BAD_LIST=f"raises_{what}")
    assert talk.results[0][1:3] == (GOOD, 2)
    assert talk.lines == ["device test:0", "device test:1"]
    if what in MISTAKES:
        assert line_with(talk.said, "backend bad: list_devices: ", "bad.py:")


@pytest.mark.parametrize(
    ("what", "own"),
    [
        *(("none", 0), ("number", 0)),
        *((what, 1) for what in ("junk", "bytes", "empty", "control", "surrogate")),
    ],
)
def test_a_list_of_junk_costs_only_what_is_junk(client: Client, what: str, own: int) -> None:
    talk = client("list", *OTHER, PYSANE_BAD_LIST=what)
    assert talk.results[0][1:3] == (GOOD, 2 + own)
    assert talk.lines == ["device bad:good"] * own + ["device test:0", "device test:1"]
    assert "backend bad: list_devices" in talk.said or "bad: list_devices" in talk.said


@pytest.mark.parametrize("what", ["huge", "long"])
def test_a_huge_list_does_no_harm(client: Client, what: str) -> None:
    talk = client("list", *OTHER, PYSANE_BAD_LIST=what)
    assert talk.results[0].status == GOOD
    assert talk.results[0].ms < 5000 * running.SLOWER
    assert talk.results[3].length == OTHER_BYTES


# Files that cannot be loaded

FILES = {
    "def (": "SyntaxError",
    "1 / 0": "ZeroDivisionError",
    "import pysane_missing": "ModuleNotFoundError",
    "raise SystemExit(3)": "SystemExit",
    "x = 1": "defines no class Backend",
    "from ..backend import Device, option\nclass D(Device):\n    x = option.Int('I', name='I')\n"
    "class Backend: pass\n": "illegal option name 'I'",
}


@pytest.mark.parametrize("text", FILES)
def test_a_file_that_cannot_be_loaded_costs_only_its_own(
    client: Client, config_dir: Path, text: str
) -> None:
    (client.drivers / "broken.py").write_text(text)
    (config_dir / "dll.conf").write_text("test\nbroken\nbad\n")
    talk = client("list", "open", "broken:x", *OTHER, SANE_DEBUG_DLL="1")
    assert talk.results[0][1:3] == (GOOD, 3)
    assert talk.of("open").status in (IO_ERROR, const.STATUS_INVAL, const.STATUS_UNSUPPORTED)
    assert FILES[text] in talk.said
    assert "broken" in talk.said


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_file_that_others_may_write_is_not_loaded(client: Client, mode: int) -> None:
    (client.drivers / "bad.py").chmod(mode)
    talk = client("open", "bad:good", *OTHER)
    assert talk.results[0].status == const.STATUS_INVAL
    assert line_with(talk.said, f"{client.drivers}/bad.py is not used")
