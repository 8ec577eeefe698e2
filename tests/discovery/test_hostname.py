"""By which name Avahi announces this machine; a program stands for busctl."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.discovery.hostname import announced_host


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("""echo 's "host-2.local"'""", "host-2.local"),
        ("echo 'Call failed: The name is not activatable' >&2; exit 1", ""),
        ("echo 'u 7'", ""),
        ("", ""),
    ],
)
def test_the_daemon_is_asked_and_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: str
) -> None:
    program = tmp_path / "busctl"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/told\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert announced_host() == expected
    told = (tmp_path / "told").read_text()
    assert told.startswith("--system --auto-start=no call org.freedesktop.Avahi / ")


def test_without_the_program_there_is_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert announced_host() == ""
