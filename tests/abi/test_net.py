"""Devices of a server from C: pointers that stay, lists that change, a death without a signal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sane.wire import messages as m
from sane.wire.protocol import frame_end, record_head
from tests.abi import running
from tests.fakes.saned import COUNT, MODE, FakeSaned


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running.build_all(tmp_path_factory.mktemp("net"), "net")["net"]


def depth(number: int) -> m.Descriptor:
    """Return the option as the list of this number describes it."""
    constraint: Any = (2, (8, 16)) if number == 1 else (0, None)
    return m.Descriptor("depth", f"List {number}", "", 1, 2, 4, 5, *constraint)


MANY = [m.Descriptor(f"o{i}", "", "", 1, 0, 4096, 5, 0, None) for i in range(3, 400)]


def resized(*sizes: int) -> list[m.Descriptor]:
    """Return the list whose text, words, turncoat and last option have these sizes."""
    text, words, turncoat, last = sizes
    kind = 1 if last == 8 else 3  # the second list calls the word a text
    return [
        COUNT,
        depth(1),
        m.Descriptor("mode", "Mode", "", 3, 0, text, 5, 0, None),
        m.Descriptor("words", "", "", 1, 0, words, 5, 0, None),
        m.Descriptor("turncoat", "", "", kind, 0, turncoat, 5, 0, None),
        m.Descriptor("last", "", "", 1, 0, last, 5, 0, None),
    ]


RESIZED = [resized(6, 8, 4, 8), resized(4096, 12, 4, 4), resized(4096, 8, 4, 8)]
LISTS: dict[str, Any] = {
    "reload": lambda n: [COUNT, depth(n), MODE],
    "another_number": lambda n: (
        [[COUNT, depth(1), MODE], [COUNT, depth(2), MODE, MODE, MODE]][n - 1] if n < 3 else [COUNT]
    ),
    "resized": lambda n: RESIZED[n - 1],
    "grown": lambda n: [COUNT, depth(1), MODE, *MANY] if n > 1 else [COUNT, depth(1), MODE],
}


@pytest.mark.parametrize(
    "case",
    ["reload", "another_number", "grown", "resized", "odd_status", "death", "watched"],
)
def test_net_from_c(
    program: Path, case: str, staged_environment: dict[str, str], config_dir: Path
) -> None:
    lists = 0

    def describe(fake: FakeSaned, server: Any, request: Any) -> Any:
        nonlocal lists
        lists += 1
        return server.reply(m.DescriptorsReply(LISTS[case](lists)))

    answers: Any = {m.GetDescriptors: describe} if case in LISTS else {}
    if case == "death":
        answers[m.ControlOption] = lambda fake, server, request: None
    with FakeSaned(answers=answers) as server:
        server.values |= dict.fromkeys(range(3, 400), b"B" * 4096 if case == "grown" else b"")
        if case == "odd_status":
            server.frame = [record_head(8) + b"abcdefgh" + frame_end(77)]
        (config_dir / "dll.conf").write_text("net\n")
        (config_dir / "net.conf").write_text(f"127.0.0.1 port = {server.port}\n")
        environment = {**staged_environment, "NET_DEVICE": "net:127.0.0.1:test:0"}
        done = running.run([program, case], environment)
    assert (done.returncode, done.stderr) == (0, "")
