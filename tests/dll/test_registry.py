"""The registry: names, order, aliases, and backends that misbehave without harm to the others."""

from __future__ import annotations

import os

import pytest

from sane.backend import Context
from sane.config import Environment
from sane.dll.registry import OPEN_SECONDS, Loader, registry_for
from sane.errors import (
    AccessDenied,
    DeviceBusy,
    DeviceIOError,
    Invalid,
    Misbehaved,
    NoMemory,
    SaneError,
    Unsupported,
)
from tests.support.registry import HEAD, Stack, names, stack
from tests.support.timing import wait_until

__all__ = ["stack"]

# Listing


def test_devices_are_listed_in_the_order_of_the_configuration(stack: Stack) -> None:
    for name in ("tst1", "tst2"):
        stack.driver(name)
    registry = stack.registry("", "tst1", "tst2")
    assert names(registry) == ["tst2:one", "tst2:two", "tst1:one", "tst1:two"]


def test_backends_that_are_nowhere_list_nothing(stack: Stack) -> None:
    stack.driver("tst1")
    registry = stack.registry("", "tst1", "tst_absent", "../x", "a b")
    assert names(registry) == ["tst1:one", "tst1:two"]


def test_no_configuration_is_no_devices(stack: Stack) -> None:
    assert names(stack.registry()) == []


def test_local_only_is_passed_on(stack: Stack) -> None:
    stack.driver("tst1", list_devices="return [info(str(local_only))]")
    registry = stack.registry("", "tst1")
    assert names(registry, True) + names(registry, False) == ["tst1:True", "tst1:False"]


def test_aliases_rename_and_hide(stack: Stack) -> None:
    stack.driver("tst1")
    (stack.config / "dll.aliases").write_text("alias Desk tst1:one\nhide tst1:two\n")
    registry = stack.registry("", "tst1")
    assert names(registry) == ["Desk"]
    for name in ("Desk", "tst1:one", "tst1:two"):
        registry.open(name).close()


@pytest.mark.parametrize(
    "body",
    [
        "raise ZeroDivisionError('oops')",
        "raise OSError(5, 'x')",
        "raise MemoryError",
        "raise errors.AccessDenied",
        "return None",
        "return 5",
        "return ['text', None, 5, info]",
        "return [info('')]",
        "return [info('a\\nb')]",
        "return [info(b'x')]",
        "return [info('x', '')]",
        "return [info(None)]",
        "yield info('one'); raise ZeroDivisionError",
    ],
)
def test_a_backend_that_fails_to_list_costs_only_its_own(
    stack: Stack, body: str, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.driver("tst1")
    stack.driver("tst2", list_devices=body)
    registry = stack.registry("", "tst1", "tst2", SANE_DEBUG_DLL="1")
    assert names(registry) == ["tst1:one", "tst1:two"]
    said = [line for line in capfd.readouterr().err.splitlines() if "tst2: list_devices" in line]
    assert said


@pytest.mark.parametrize("body", ["raise SystemExit(3)", "raise KeyboardInterrupt"])
def test_a_backend_that_wants_to_end_the_program_costs_only_its_own(
    stack: Stack, body: str
) -> None:
    stack.driver("tst1")
    stack.driver("tst2", list_devices=body)
    registry = stack.registry("", "tst1", "tst2")
    try:
        assert names(registry) == ["tst1:one", "tst1:two"]
    except BaseException as exc:
        pytest.fail(f"get_devices raised {exc!r}")


@pytest.mark.parametrize("hook", ["list_devices", "open"])
def test_ctrl_c_is_no_mistake_of_the_backend_that_it_meets(
    stack: Stack, hook: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """It ended the list with the devices of the other backends, and the program went on."""
    answer = "Page()" if hook == "open" else "[]"
    body = f"import signal; os.kill(os.getpid(), signal.SIGINT); return {answer}"
    stack.driver("tst1", **{hook: body})
    registry = stack.registry("", "tst1")
    with pytest.raises(KeyboardInterrupt):
        registry.get_devices(False) if hook == "list_devices" else registry.open("tst1:x")
    assert hook not in capfd.readouterr().err


def test_a_device_with_a_wrong_entry_keeps_the_others(stack: Stack) -> None:
    stack.driver("tst1", list_devices="return [info('good'), 5, info('fine')]")
    assert names(stack.registry("", "tst1")) == ["tst1:good", "tst1:fine"]


def test_a_name_listed_twice_is_listed_once(stack: Stack) -> None:
    """Names are unique (c-abi-and-dll 1.7, sane_get_devices)."""
    stack.driver("tst1", list_devices="return [info('a'), info('a'), info('b')]")
    assert names(stack.registry("", "tst1")) == ["tst1:a", "tst1:b"]


def test_an_endless_list_is_cut(stack: Stack) -> None:
    body = "import itertools; return (info(str(number)) for number in range(1 << 20))"
    stack.driver("tst1", list_devices=body)
    assert len(names(stack.registry("", "tst1"))) < 1 << 20


# Opening


@pytest.mark.parametrize(
    ("name", "opened"),
    [
        ("tst1:x:y", "x:y"),
        ("tst1:", ""),
        ("tst1", ""),
        (":x", "x"),
        ("", ""),
        ("tst1: ", " "),
    ],
)
def test_open_splits_the_name_at_the_first_colon(
    stack: Stack, name: str, opened: str, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.driver("tst1", open="note('open ' + repr(name)); return Page()")
    stack.registry("", "tst1").open(name).close()
    assert f"open {opened!r}\n" in capfd.readouterr().err


@pytest.mark.parametrize("name", [None, "dll:x", "dll", "tst_absent:x", "../x:y", "\n:x", "é:x"])
def test_open_of_what_is_no_device_is_invalid(stack: Stack, name: str | None) -> None:
    stack.driver("tst1")
    registry = stack.registry("", "tst1")
    with pytest.raises(Invalid):
        registry.open(name)
    assert names(registry)[:1] == ["tst1:one"]


def test_open_without_configuration_is_invalid(stack: Stack) -> None:
    with pytest.raises(Invalid):
        stack.registry().open("")


def test_a_backend_need_not_be_configured_to_be_opened(stack: Stack) -> None:
    stack.driver("tst1")
    registry = stack.registry()
    registry.open("tst1:one").close()
    assert names(registry) == ["tst1:one", "tst1:two"]


def test_a_missing_backend_is_invalid_first_and_then_unsupported(stack: Stack) -> None:
    """As the original dll answers: 4.5."""
    registry = stack.registry()
    with pytest.raises(Invalid):
        registry.open("tst_absent:x")
    with pytest.raises(Unsupported):
        registry.open("tst_absent:x")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("raise errors.DeviceBusy('in use')", DeviceBusy),
        ("raise errors.AccessDenied('no')", AccessDenied),
        ("raise errors.NoMemory", NoMemory),
        ("raise OSError(5, 'cable')", DeviceIOError),
        ("raise PermissionError(13, 'no')", AccessDenied),
        ("raise MemoryError", NoMemory),
        ("raise SystemExit(3)", DeviceIOError),
        ("raise ZeroDivisionError", DeviceIOError),
        ("return None", Misbehaved),
        ("return 5", Misbehaved),
        ("return Page", Misbehaved),
        ("raise errors.Invalid(name)", Invalid),
    ],
)
def test_open_raises_the_error_for_what_the_backend_does(
    stack: Stack, body: str, expected: type[SaneError]
) -> None:
    stack.driver("tst1", open=body)
    registry = stack.registry("", "tst1")
    for _ in range(2):
        with pytest.raises(expected):
            registry.open("tst1:x")


def test_a_mistake_is_always_shown_with_its_place(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.driver("tst1", open="1 / 0")
    with pytest.raises(DeviceIOError):
        stack.registry("", "tst1").open("tst1:x")
    said = capfd.readouterr().err
    line = HEAD.count("\n") + 2
    assert f"backend tst1: open: ZeroDivisionError: division by zero ({stack.drivers}/" in said
    assert f"tst1.py:{line})" in said


@pytest.mark.parametrize(("level", "shown"), [("0", False), ("1", True)])
def test_a_status_is_shown_from_level_1_on(
    stack: Stack, level: str, shown: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.driver("tst1", open="raise errors.DeviceBusy('in use')")
    with pytest.raises(DeviceBusy):
        stack.registry("", "tst1", SANE_DEBUG_DLL=level).open("tst1:x")
    assert ("DeviceBusy: in use" in capfd.readouterr().err) == shown


@pytest.mark.parametrize("text", ["def (", "1 / 0", "import tst_no_such_module", "x = 1"])
def test_a_file_that_cannot_be_loaded_costs_only_its_own(
    stack: Stack, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.driver("tst1")
    (stack.drivers / "tst2.py").write_text(text)
    registry = stack.registry("", "tst1", "tst2", SANE_DEBUG_DLL="1")
    assert names(registry) == ["tst1:one", "tst1:two"]
    assert "tst2.py" in capfd.readouterr().err or text.startswith("import")
    with pytest.raises(SaneError):
        registry.open("tst2:x")


def test_a_device_whose_condition_fails_is_closed(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    """The device is open when its conditions are evaluated: its USB handle must not leak."""
    stack.driver("tst1", open="return Gone()")
    with pytest.raises(DeviceIOError):
        stack.registry("", "tst1").open("tst1:x")
    assert "closed\n" in capfd.readouterr().err


# Constructors that never return


def test_a_constructor_that_does_not_return_is_given_up(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    fifo = stack.config / "fifo"
    os.mkfifo(fifo)
    stack.driver("tst1")
    stack.driver("tst2", open=f"os.open({str(fifo)!r}, os.O_RDONLY | os.O_CLOEXEC); return Page()")
    registry = stack.registry("", "tst1", "tst2", PYSANE_OPEN_TIMEOUT="0.05")
    with pytest.raises(DeviceIOError, match=r"backend tst2: open has not returned after 0\.05 s"):
        registry.open("tst2:x")
    registry.open("tst1:x").close()
    said = capfd.readouterr().err
    assert "backend tst2: open: " in said
    assert said.count("closed") == 1
    os.close(os.open(fifo, os.O_WRONLY))  # now it returns
    assert wait_until(lambda: "closed" in capfd.readouterr().err), "the late device stays open"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0.5", 0.5),
        ("", OPEN_SECONDS),
        ("x", OPEN_SECONDS),
        ("0", OPEN_SECONDS),
        ("-1", OPEN_SECONDS),
        ("nan", OPEN_SECONDS),
        ("inf", OPEN_SECONDS),
        ("1e9", OPEN_SECONDS),
    ],
)
def test_the_deadline_is_a_number_of_seconds(text: str, seconds: float) -> None:
    environment = Environment({"PYSANE_OPEN_TIMEOUT": text})
    assert Loader(Context(environment)).open_seconds == seconds


# Life


def test_a_backend_is_initialised_once_and_ended_once(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.driver("tst1")
    registry = stack.registry("", "tst1")
    names(registry)
    registry.open("tst1:x").close()
    names(registry)
    registry.exit()
    said = capfd.readouterr().err
    assert (said.count("init tst1"), said.count("exit tst1")) == (1, 1)


def test_nothing_is_loaded_before_it_is_needed(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.driver("tst1")
    stack.registry("", "tst1").exit()
    assert "tst1" not in capfd.readouterr().err


def test_a_failed_init_is_tried_again(stack: Stack) -> None:
    mark = stack.drivers / "mark"
    body = f"assert os.path.exists({str(mark)!r})"
    stack.driver("tst1", init=body)
    registry = stack.registry("", "tst1")
    assert names(registry) == []
    mark.write_text("")
    assert names(registry) == ["tst1:one", "tst1:two"]


@pytest.mark.parametrize("exc", ["ZeroDivisionError", "SystemExit", "KeyboardInterrupt"])
def test_a_failing_exit_does_not_keep_the_others(
    stack: Stack, exc: str, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.driver("tst1", exit=f"raise {exc}")
    stack.driver("tst2")
    registry = stack.registry("", "tst2", "tst1")
    names(registry)
    try:
        registry.exit()
    except BaseException as caught:
        pytest.fail(f"exit raised {caught!r}")
    assert "exit tst2" in capfd.readouterr().err


def test_authorize_is_called_on_the_thread_that_opens(stack: Stack) -> None:
    import threading

    idents: list[int] = []

    def authorize(resource: str) -> tuple[str, str]:
        idents.append(threading.get_ident())
        return resource, "secret"

    stack.driver(
        "tst1", open="assert self.context.authorize(name) == (name, 'secret'); return Page()"
    )
    environment = Environment({"PYSANE_BACKEND_PATH": str(stack.drivers)})
    registry = registry_for("", Context(environment, authorize))
    stack.registries.append(registry)
    registry.open("tst1:x").close()
    assert idents == [threading.get_ident()]


# One backend as a library of its own


def test_a_single_backend_has_names_without_prefix(stack: Stack) -> None:
    stack.driver("tst1")
    registry = stack.registry("tst1")
    assert names(registry) == ["one", "two"]
    registry.open("one").close()


def test_a_single_backend_refuses_a_null_name(stack: Stack) -> None:
    stack.driver("tst1")
    with pytest.raises(Invalid):
        stack.registry("tst1").open(None)


def test_a_single_backend_that_fails_to_list_says_nothing_but_lives(stack: Stack) -> None:
    stack.driver("tst1", list_devices="1 / 0")
    assert names(stack.registry("tst1")) == []


def test_pysane_offers_what_its_configuration_names(stack: Stack) -> None:
    (stack.config / "pysane.conf").write_text("# remark\nbackend pnm\nnonsense\n")
    assert names(stack.registry("pysane")) == ["pnm:0", "pnm:1"]


def test_pysane_without_configuration_leaves_out_the_virtual_devices(stack: Stack) -> None:
    listed = names(stack.registry("pysane"))
    assert not [name for name in listed if name.startswith(("test:", "pnm:", "net:"))]
