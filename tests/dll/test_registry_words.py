"""What the registry says: names that can be shown, reasons of failures, and no process limits."""

from __future__ import annotations

import _thread
from typing import TYPE_CHECKING, Any

import pytest

from sane import config
from sane.config import Environment
from sane.dll import deadline
from sane.dll.answers import Answers
from sane.errors import Invalid, SaneError, Unsupported
from sane.listed import is_printable, printable
from sane.wire import messages as m
from tests.fakes.saned import FakeSaned
from tests.support.registry import Stack, names, stack

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["stack"]

# Names


@pytest.mark.parametrize(
    "name",
    [
        "Canon\u00a0LiDE",
        "a\tb",
        "caf\udce9",
        "caf\u00e9",
        "\u30b9\u30ad",
        "x y",
        "\u200bx",
        "\U0001f5a8",
    ],
)
def test_what_is_no_control_character_can_be_listed_and_opened(stack: Stack, name: str) -> None:
    stack.driver("tst1", list_devices=f"return [info({name!r})]")
    registry = stack.registry("", "tst1")
    assert names(registry) == [f"tst1:{name}"]
    registry.open(f"tst1:{name}").close()


@pytest.mark.parametrize(
    "name",
    [
        *("a\nb", "a\rb", "\x1b[2J", "a\x7f", "a\0b", "a\x08"),
        *("\x9b2J", "a\x85", "\udc9b2J", "\ud800", "a\u2028b", "a\u2029b"),
    ],
)
def test_control_characters_are_not_listed(
    stack: Stack, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.driver("tst1", list_devices=f"return [info('good'), info({name!r}), info('x', {name!r})]")
    assert names(stack.registry("", "tst1")) == ["tst1:good"]
    assert "unprintable" in capfd.readouterr().err


def test_printable_and_is_printable_agree() -> None:
    for code in [*range(0x3000), *range(0xD800, 0xE000)]:
        char = chr(code)
        assert is_printable(char) == (printable(char) == char)
        assert is_printable(f"a{char}") == is_printable(char)


def test_a_c_backends_texts_are_shown_or_replaced() -> None:
    texts = [b"*caf\xe9", b"*V\x1b[2J", b"*M\xa0", b"*scanner"]
    body = b"device\0" + b"\0".join(texts) + b"\0device\0*\x1bbad\0*V\0*M\0*T"
    head = f"0 done 0 5 0 {len(body)}\n".encode()
    (answer,) = Answers(1).feed(head + body)
    assert answer.devices is not None
    assert [(d.name, d.vendor, d.model) for d in answer.devices] == [
        ("caf\udce9", "V?[2J", "M\udca0")
    ]
    assert (0, "get_devices lists '\\x1bbad', which cannot be shown") in answer.notes


# Names of backends


def test_a_typing_error_is_not_the_next_default(stack: Stack) -> None:
    stack.driver("tst1")
    registry = stack.registry("", "tst1")
    for name in ("tst_nosuch:0", "tst_nosuch", "tst_nosuch:0"):
        with pytest.raises(SaneError):
            registry.open(name)
    registry.open("").close()
    assert names(registry) == ["tst1:one", "tst1:two"]


def test_a_backend_that_exists_is_the_next_default(stack: Stack) -> None:
    """As the original: whoever is asked for by name is put in front (4.8)."""
    stack.driver("tst1", open="raise errors.Invalid('first')")
    stack.driver("tst2", open="raise errors.DeviceBusy('second')")
    registry = stack.registry("", "tst1")
    with pytest.raises(SaneError, match="second"):
        registry.open("tst2:x")
    with pytest.raises(SaneError, match="second"):
        registry.open("")


def test_a_second_attempt_repeats_the_reason_of_the_first(stack: Stack) -> None:
    (stack.drivers / "tst1.py").write_text("x = 1")
    registry = stack.registry("", "tst1")
    for kind in (Invalid, Unsupported):
        with pytest.raises(kind, match=r"tst1.py defines no class Backend"):
            registry.open("tst1:x")
    with pytest.raises(Unsupported, match="not found before: no backend named 'tst_typo'"):
        for _ in range(2):
            try:
                registry.open("tst_typo:x")
            except Invalid:
                continue


def test_a_file_without_a_backend_is_always_told(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    """A C program gets a status and no text."""
    (stack.drivers / "tst1.py").write_text("class backend: pass")
    with pytest.raises(Invalid):
        stack.registry("", "tst1").open("tst1:x")
    assert f"{stack.drivers}/tst1.py defines no class Backend" in capfd.readouterr().err


@pytest.mark.parametrize("path", ["drivers", ".", "./drivers", "/nowhere:drivers"])
def test_a_relative_backend_path_is_always_told(
    stack: Stack, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    registry = stack.registry("", "tst1", PYSANE_BACKEND_PATH=path)
    with pytest.raises(Invalid):
        registry.open("tst1:x")
    relative = path.rpartition(":")[2]
    said = capfd.readouterr().err
    assert f"PYSANE_BACKEND_PATH: {relative} is not used: no absolute path" in said


def test_an_error_in_a_declaration_is_told_with_its_place(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    head = "from ..backend import Device, option\n\nclass Wrong(Device):\n"
    for number, text in enumerate(("option.Int('Wait')", "option.Int('N', '', (5,), default=6)")):
        file = stack.drivers / f"tst{number}.py"
        file.write_text(f"{head}    good = option.Bool('Good')\n    wait = {text}\n")
        with pytest.raises(SaneError):
            stack.registry("", f"tst{number}").open(f"tst{number}:x")
        said = capfd.readouterr().err
        assert f"declared in {file}:5 ({file}:3)" in said


# No more threads


def limited(*_: object) -> None:
    raise RuntimeError("can't start new thread")


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no thread start, as RLIMIT_NPROC does."""
    monkeypatch.setattr(_thread, "start_new_thread", limited)


@pytest.mark.usefixtures("no_threads")
def test_a_process_without_threads_lists_and_opens(stack: Stack) -> None:
    for name in ("tst1", "tst2"):
        stack.driver(name)
    stack.driver("tst3", list_devices="raise errors.DeviceBusy")
    registry = stack.registry("", "tst1", "tst2", "tst3")
    assert names(registry) == ["tst2:one", "tst2:two", "tst1:one", "tst1:two"]
    registry.open("tst1:one").close()


@pytest.mark.usefixtures("no_threads")
def test_a_call_without_a_thread_relays_on_the_spot() -> None:
    def ask() -> Any:
        return deadline.relay(lambda word: f"asked for {word}", "net")

    assert deadline.call(ask, 5.0, "open", lambda late: None) == "asked for net"
    with pytest.raises(ZeroDivisionError):
        deadline.call(lambda: 1 // 0, 5.0, "open", lambda late: None)
    assert not deadline._running


@pytest.mark.usefixtures("no_threads")
def test_a_kept_list_is_used_where_it_cannot_be_refreshed(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sane.dll.listing.FRESH_SECONDS", -1.0)
    (stack.config / "pysane.conf").write_text("list-cache 300\n")
    stack.driver("tst1")
    registry = stack.registry("", "tst1", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert names(registry) == names(registry) == ["tst1:one", "tst1:two"]


# Kept lists


def change(stack: Stack, what: str) -> dict[str, str]:
    """Change the configuration; return the variables that changed."""
    conf = stack.config / "tst1.conf"
    if what == "edited":
        conf.write_text("one\nmore\n")
    elif what == "edited in place, as long as before":
        conf.write_text("two\n")
    elif what == "removed":
        conf.unlink()
    elif what == "replaced":
        new = stack.config / "new"
        new.write_text("one\n")
        new.rename(conf)
    elif what == "another variable":
        return {"SANE_NET_HOSTS": "10.0.0.1"}
    else:
        other = stack.config / "other"
        other.mkdir()
        (other / "dll.conf").write_text("tst1\n")
        (other / "pysane.conf").write_text("list-cache 300\n")
        return {"SANE_CONFIG_DIR": f"{other}:{stack.config}"}
    return {}


@pytest.mark.parametrize(
    "what",
    [
        "edited",
        "edited in place, as long as before",
        "removed",
        "replaced",
        "another variable",
        "another directory in front",
    ],
)
def test_a_changed_configuration_makes_a_kept_list_old(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    (stack.config / "pysane.conf").write_text("list-cache 300\n")
    (stack.config / "tst1.conf").write_text("one\n")
    stack.driver("tst1")
    monkeypatch.setattr("sane.dll.listing.usb_devices", list)

    def is_asked(**variables: str) -> bool:
        variables["XDG_CACHE_HOME"] = str(tmp_path / "cache")
        registry = stack.registry("", "tst1", **variables)
        registry.get_devices()
        return bool(registry._loader.is_loaded("tst1"))

    assert is_asked()
    assert not is_asked(SANE_DEBUG_TST1="0")
    changed = change(stack, what)
    assert is_asked(**changed)
    assert not is_asked(**changed)


def test_the_state_of_a_file_is_that_of_the_first_that_is_found(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    environment = Environment({"SANE_CONFIG_DIR": f"{one}:{two}"})
    assert config.state(environment, "x.conf") == ""
    (two / "x.conf").write_text("x")
    second = config.state(environment, "x.conf")
    assert str(two) in second
    (one / "x.conf").mkdir()
    assert config.state(environment, "x.conf") == second
    (one / "x.conf").rmdir()
    (one / "x.conf").symlink_to("/dev/null")
    assert str(one) in config.state(environment, "x.conf")


# Over the network


def test_names_of_a_server_are_listed_and_opened_as_they_are(stack: Stack) -> None:
    """Names that DNS-SD gives have blanks of all kinds; older servers speak Latin-1."""
    listed = ["Canon\u00a0LiDE", "a\tb", "caf\udce9"]
    devices = [m.Device(name, "V", "M", "scanner") for name in (*listed, "\x1b[2J", "a\nb")]
    with FakeSaned(devices=devices) as server:
        (stack.config / "net.conf").write_text(f"127.0.0.1 port = {server.port}\n")
        registry = stack.registry("", "net")
        assert names(registry) == [f"net:127.0.0.1:{name}" for name in listed]
        for name in listed:
            registry.open(f"net:127.0.0.1:{name}").close()
        registry.exit()
