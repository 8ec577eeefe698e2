"""Kept calibrations: what is read, what is dropped, and how the file is replaced."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from sane.chips.calibration import CalibrationFile, file_name
from sane.config import Environment
from sane.debug import Debug

FIRST = "version=0x0002"


def kept(path: Path, unit: str = "A1", days: int = 0) -> CalibrationFile:
    debug = Debug("chips", Environment({"SANE_DEBUG_CHIPS": "1"}))
    return CalibrationFile(str(path), FIRST, unit, debug, days)


def test_what_was_put_is_found_by_others(tmp_path: Path) -> None:
    path = tmp_path / "a.cal"
    assert kept(path).get("gray8") is None
    assert kept(path).put({"gray8": "1,2", "color8": "3"})
    assert kept(path).put({"gray8": "4"}, is_first=True)
    assert kept(path).put({"other": "5"})
    today = time.strftime("%Y-%m-%d")
    assert path.read_text().splitlines() == [
        *(FIRST, f"#pysane unit=A1 since={today}", "gray8=4", "color8=3", "other=5")
    ]
    assert kept(path).get("color8") == "3"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["a.cal"]


def test_a_file_of_another_program_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.cal"
    path.write_text(f"{FIRST}\ncolor8=10,0\n")
    assert kept(path).get("color8") == "10,0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{FIRST}\n#pysane unit=B2 since=2020-01-01\nkey=1\n", "it is of unit 'B2'"),
        (f"{FIRST}\n#pysane unit=A1 since=2020-01-01\nkey=1\n", "it is from 2020-01-01"),
        (f"{FIRST}\n#pysane unit=A1 since=9999-99-99\nkey=1\n", "9999-99-99"),
        (f"{FIRST}\n#pysane unit=A1 since=soon\nkey=1\n", "'soon' is no date"),
        ("version=0x0001\nkey=1\n", "it begins with 'version=0x0001'"),
        ("", "it begins with ''"),
    ],
)
def test_what_may_not_be_used_is_dropped_with_the_next_entry(
    text: str, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.cal"
    path.write_text(text)
    assert kept(path, days=30).get("key") is None
    assert said in capfd.readouterr().err
    assert kept(path, days=30).put({"new": "2"})
    assert path.read_text().splitlines()[2:] == ["new=2"]


def test_a_file_that_is_none_or_cannot_be_written_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not kept(tmp_path / "none" / "a.cal").put({"key": "1"})
    assert "cannot be written" in capfd.readouterr().err
    os.mkfifo(tmp_path / "pipe.cal")
    assert kept(tmp_path / "pipe.cal").get("key") is None
    (tmp_path / "link.cal").symlink_to(tmp_path / "pipe.cal")
    assert kept(tmp_path / "link.cal").get("key") is None
    assert capfd.readouterr().err.count("is not used") == 2


def test_what_a_dead_process_left_does_not_disturb(tmp_path: Path) -> None:
    path = tmp_path / "a.cal"
    (tmp_path / f"a.cal.{os.getpid()}").write_text("half")
    assert kept(path).put({"key": "1"})
    assert os.listdir(tmp_path) == ["a.cal"]


def test_names_of_files_have_letters_and_digits() -> None:
    wanted = "Canon_CanoScan_N670U_N676U_LiDE20"
    assert file_name("Canon-CanoScan N670U/N676U/LiDE20") == wanted
