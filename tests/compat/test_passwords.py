"""D31: devices that want a password can be opened (python-api 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import sane

if TYPE_CHECKING:
    from pathlib import Path

DRIVER = """
from ..backend import Backend as _Backend, DeviceInfo, errors

class Backend(_Backend):
    def list_devices(self, local_only):
        return [DeviceInfo("safe", "Acme", "S1", "flatbed scanner")]

    def open(self, name):
        if self.context.authorize("vault:safe") != ("me", "secret"):
            raise errors.AccessDenied("wrong password")
        raise errors.Jammed("inside")
"""
DENIED = r"^Access to resource has been denied$"
INSIDE = r"^Document feeder jammed$"


def test_a_password_is_asked_for_or_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drivers = tmp_path / "drivers"
    drivers.mkdir(mode=0o755)
    (drivers / "vault.py").write_text(DRIVER)
    (tmp_path / "dll.conf").write_text("vault\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    sane.init({"SANE_CONFIG_DIR": str(tmp_path), "PYSANE_BACKEND_PATH": str(drivers)})
    try:
        with pytest.raises(sane.error, match=DENIED):
            sane.open("vault:safe")
        (tmp_path / ".sane").mkdir()
        file = tmp_path / ".sane" / "pass"
        file.touch(0o600)
        file.write_text("me:secret:vault:safe\n")
        with pytest.raises(sane.error, match=INSIDE):
            sane.open("vault:safe")
        asked: list[str] = []

        def answer(resource: str) -> tuple[str, str] | None:
            asked.append(resource)
            return ("me", "wrong") if len(asked) == 1 else None

        sane.set_authorization(answer)
        for _ in range(2):
            with pytest.raises(sane.error, match=DENIED):
                sane.open("vault:safe")
        assert asked == ["vault:safe"] * 2
    finally:
        sane.set_authorization(None)
        sane.exit()
