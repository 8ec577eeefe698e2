"""Configuration: which file wins, what is wrong with one, and profiles written into it."""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from sane.pagework.keys import KEYS
from sane.pagework.problem import CONFIG, OUTPUT, PageWorkError
from sane.pagework.profiles import Configuration, delete_profile, save_profile, user_file
from sane.pagework.state import State
from sane.pagework.toml import TomlFile

SAMPLE = """\
# What I scan.
[defaults]
page-size = "a4"
dpi = 200
options = { brightness = 5, gamma = 2.2 }

[devices."epson*"]
source = "duplex"

[devices."*LiDE*"]
dpi = 600

[profiles.letters] # with comments
mode = "gray"
dpi = 300
skip-blank = true
options.brightness = 10

[profiles."my receipts"]
extends = "letters"
crop = 2.5
"""


def configuration(text: str, **variables: str) -> Configuration:
    return Configuration([TomlFile("a.toml", text)], variables)


def test_later_places_win_and_options_are_merged_one_by_one() -> None:
    found = configuration(SAMPLE, PYSANE_SCAN_QUALITY="90", PYSANE_SCAN_MODE="color", HOME="/x")
    assert found.names == ["letters", "my receipts"]
    plain = {"page-size": "a4", "dpi": 200, "options": {"brightness": 5, "gamma": 2.2}}
    variables = {"quality": 90, "mode": "color"}
    assert found.settings() == {**plain, **variables}
    assert found.settings(device="epsonds:usb")["source"] == "duplex"
    assert found.settings(device="plustek:1", model="CanoScan LiDE 20")["dpi"] == 600
    receipts = found.settings("my receipts", device="epson2:1", model="LiDE")
    assert receipts == {
        **{"page-size": "a4", "source": "duplex", "mode": "color", "dpi": 300, "quality": 90},
        **{"skip-blank": True, "crop": 2.5, "profile": "my receipts"},
        "options": {"brightness": 10, "gamma": 2.2},
    }


def test_a_default_profile_counts_unless_another_or_none_is_named() -> None:
    found = configuration(SAMPLE.replace("dpi = 200", 'profile = "letters"'))
    assert found.settings()["mode"] == "gray"
    assert "mode" not in found.settings("")
    assert found.settings("my receipts")["crop"] == 2.5
    assert configuration(SAMPLE, PYSANE_SCAN_PROFILE="letters").settings()["dpi"] == 300


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dpi = 3\n", "a.toml:1: unknown section or key 'dpi'"),
        (
            "[default]\ndpi = 3\n",
            "a.toml:1: unknown section or key 'default'; did you mean defaults",
        ),
        ("[defaults]\n\ndpl = 3\n", "a.toml:3: unknown key 'dpl'; did you mean dpi?"),
        ("[defaults]\npages = 'all'\n", "a.toml:2: pages is 'all', and not a whole number"),
        ("[defaults]\ndeskew = 1\n", "a.toml:2: deskew is 1, and not true or false"),
        ("[defaults]\ntimeout = nan\n", "a.toml:2: timeout is nan, and not a number"),
        ("[defaults]\narea = [1, 2, 3]\n", "a.toml:2: area is [1, 2, 3], and not four numbers"),
        ("[defaults]\nextends = 'x'\n", "a.toml:2: unknown key 'extends'"),
        ("[profiles.a]\nb = 1\n[profiles.b]\nq = 1", "a.toml:2: unknown key 'b'"),
        ("[profiles.a]\ndpi = 1\n[profiles.b]\n'tilte' = 1", "a.toml:4: unknown key 'tilte'"),
        ("[profiles]\na.dpi = 'x'\na.mod = 1\n", "a.toml:3: unknown key 'mod'"),
        ("[profiles]\na = 3\n", "a.toml:2: profiles.a is no section"),
        ("[defaults]\noptions = 3\n", "a.toml:2: options is no table"),
        ("[hooks]\nafter_scan = 'x'\n", "a.toml:2: unknown hook 'after_scan'"),
        ("[hooks]\nafter_file = 3\n", "a.toml:2: after_file is no command"),
        ("profiles = 3\n", "a.toml:1: profiles is no section"),
        ("[defaults]\ndpi = \n", "a.toml:2"),
        ("[defaults]\ndpi = 1\ndpi = 2\n", "a.toml:3"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(PageWorkError) as caught:
        configuration(text)
    assert message in str(caught.value)
    assert caught.value.exit_code == CONFIG


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("PYSANE_SCAN_DPL", "3", "PYSANE_SCAN_DPL: unknown key 'dpl'; did you mean dpi?"),
        ("PYSANE_SCAN_PAGES", "many", "PYSANE_SCAN_PAGES: pages is 'many', and not a whole number"),
        ("PYSANE_SCAN_DELAY", "inf", "PYSANE_SCAN_DELAY: delay is 'inf', and not a number"),
    ],
)
def test_a_mistake_in_a_variable_is_told_with_its_name(name: str, text: str, message: str) -> None:
    with pytest.raises(PageWorkError) as caught:
        configuration("", **{name: text}).settings()
    assert str(caught.value) == message


def test_variables_have_values_of_their_keys_kinds() -> None:
    texts = {
        **{"DPI": "300", "ROTATE": "auto", "CROP": "yes", "SKIP_BLANK": "0.5", "DESKEW": "on"},
        **{"AREA": "0,0,10.5,20", "OCR": "eng+deu", "FORCE": "0", "TITLE": "1"},
    }
    found = configuration("", **{f"PYSANE_SCAN_{name}": text for name, text in texts.items()})
    assert found.settings() == {
        **{"dpi": 300, "rotate": "auto", "crop": True, "skip-blank": 0.5, "deskew": True},
        **{"area": [0, 0, 10.5, 20], "ocr": "eng+deu", "force": False, "title": "1"},
    }


def test_profiles_that_are_not_there_or_extend_each_other_are_errors() -> None:
    found = configuration("[profiles.a]\nextends = 'b'\n[profiles.b]\nextends = 'a'\n")
    with pytest.raises(PageWorkError, match=r"a.toml:4: profile a extends b extends a"):
        found.settings("a")
    with pytest.raises(PageWorkError, match=r"profile 'aa' is not there; did you mean a") as caught:
        found.settings("aa")
    assert caught.value.hint == "there are a, b"
    lost = configuration("[profiles.a]\nextends = 'c'\n")
    with pytest.raises(PageWorkError, match=r"a.toml:2: profile 'c' is not there"):
        lost.settings("a")


def test_a_file_is_parsed_once_and_its_lines_only_for_a_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """People keep profiles in a server's file: its time may not grow with their number squared."""
    library = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    real, calls = library.loads, []

    def loads(text: str) -> Any:
        calls.append(text)
        return real(text)

    monkeypatch.setattr(library, "loads", loads)
    table = "[profiles.p{}]\nmode = 'gray'\ndpi = 300\noptions.x = 1\n"
    text = "".join(table.format(number) for number in range(50))
    found = configuration(text)
    assert [found.profile(name)["dpi"] for name in found.names] == [300] * 50
    assert len(calls) == 1
    file = TomlFile("a.toml", text)
    places = [str(file.where("profiles", f"p{number}", "dpi")) for number in range(50)]
    assert places == [f"a.toml:{4 * number + 3}" for number in range(50)]
    assert len(calls) == 2 + len(text.splitlines())


def test_files_are_read_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pysane").mkdir()
    (tmp_path / "pysane" / "config.toml").write_text("[defaults]\ndpi = 1\npages = 1\nquality = 1")
    (tmp_path / ".pysane.toml").write_text("[defaults]\npages = 2\nquality = 2\n")
    (tmp_path / "named.toml").write_bytes(b"\xef\xbb\xbf[defaults]\nquality = 3\n")
    monkeypatch.chdir(tmp_path)
    variables = {"XDG_CONFIG_HOME": str(tmp_path)}
    wanted = {"dpi": 1, "pages": 1, "quality": 1}
    assert Configuration.load(None, variables).settings() == wanted
    variables["PYSANE_CONFIG"] = str(tmp_path / "named.toml")
    wanted = {"dpi": 1, "pages": 2, "quality": 3}
    assert Configuration.load(".", variables).settings() == wanted


def test_a_file_that_is_named_must_be_there_and_be_text(tmp_path: Path) -> None:
    variables = {"XDG_CONFIG_HOME": str(tmp_path)}
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"[defaults]\ntitle = '\xff'\n")
    for path, message in (
        (tmp_path / "none", "there is no file"),
        (tmp_path, "Is a directory"),
        (Path("/dev/null"), "is no file"),
        (bad, "bad.toml:2: this is not UTF-8"),
    ):
        with pytest.raises(PageWorkError, match=message) as caught:
            Configuration.load(str(path), variables)
        assert caught.value.exit_code == CONFIG
    assert Configuration.load(None, {"XDG_CONFIG_HOME": str(bad)}).names == []


# Writing


def test_a_saved_profile_is_read_back_and_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    values: dict[str, Any] = {"dpi": 300, "title": 'a "quoted" \\ täxt\n', "area": [0, 1.5, 2, 3]}
    values |= {"deskew": True, "options": {"brightness": 10, "x-y": "z"}}
    assert save_profile("first one", values, path=str(path)) == str(path)
    path.write_text(SAMPLE + "\n" + path.read_text())
    save_profile("second", {"extends": "first one", "pages": 2}, path=str(path))
    text = path.read_text()
    assert text.startswith(SAMPLE)
    found = Configuration([TomlFile(str(path), text)])
    assert found.profile("second") == {**values, "pages": 2}
    assert found.file_of("second") == str(path)


def test_a_profile_is_replaced_by_force_only_and_deleted_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(SAMPLE.replace('[profiles."my', '# about receipts\n[profiles."my'))
    with pytest.raises(PageWorkError, match="letters is there already") as caught:
        save_profile("letters", {"dpi": 75}, path=str(path))
    assert caught.value.exit_code == OUTPUT
    save_profile("letters", {"dpi": 75}, path=str(path), force=True)
    found = Configuration([TomlFile(str(path), path.read_text())])
    assert found.profile("letters") == {"dpi": 75}
    assert found.profile("my receipts") == {"dpi": 75, "crop": 2.5}
    assert "# about receipts" in path.read_text()
    delete_profile("letters", path=str(path))
    assert "letters]" not in path.read_text()
    assert "# about receipts" in path.read_text()
    assert "# What I scan." in path.read_text()
    for name in ("letters", "no such"):
        with pytest.raises(PageWorkError, match="there is no profile"):
            delete_profile(name, path=str(path))


@pytest.mark.parametrize(
    "text", ["profiles.a = { dpi = 3 }\n", "[profiles]\na.dpi = 3\n", "[profiles.a]\ndpi = 3\n"]
)
def test_a_profile_that_is_no_section_is_left_to_an_editor(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    if text.startswith("[profiles.a]"):
        delete_profile("a", path=str(path))
        return
    with pytest.raises(PageWorkError, match="not written as a section") as caught:
        delete_profile("a", path=str(path))
    assert "editor" in caught.value.hint
    assert path.read_text() == text


def test_a_profile_with_an_unknown_key_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    with pytest.raises(PageWorkError, match="profile x: unknown key 'dpl'"):
        save_profile("x", {"dpl": 3}, path=str(path))
    assert not path.exists()


def test_the_user_s_folders_are_those_of_xdg() -> None:
    assert user_file({"HOME": "/h"}) == "/h/.config/pysane/config.toml"
    assert user_file({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}) == "/c/pysane/config.toml"
    assert user_file({"HOME": "/h", "XDG_CONFIG_HOME": "c"}) == "/h/.config/pysane/config.toml"


def test_reading_toml_needs_a_library_before_3_11(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "tomllib" if sys.version_info >= (3, 11) else "tomli"
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(PageWorkError, match=name) as caught:
        configuration("")
    assert caught.value.exit_code == 69


def test_every_key_takes_a_value_of_each_of_its_kinds() -> None:
    samples = {"text": "'x'", "a whole number": "3", "a number": "0.5", "true or false": "true"}
    samples["area"] = "[0, 0, 1.5, 2]"
    for key, kinds in KEYS.items():
        for kind in kinds:
            assert key in configuration(f"[profiles.p]\n{key} = {samples[kind]}\n").profile("p")


# State


def test_numbers_are_given_once_to_any_thread(tmp_path: Path) -> None:
    variables = {"XDG_STATE_HOME": str(tmp_path)}
    given: list[int] = []

    def take() -> None:
        given.extend(State(variables).next_number("scan-{n}.pdf") for _ in range(10))

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 31))
    assert State(variables).next_number("other") == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"last_device": 3, "numbers": {"a": "x"}}'])
def test_a_broken_state_file_counts_as_empty(tmp_path: Path, text: str) -> None:
    state = State({"XDG_STATE_HOME": str(tmp_path)})
    assert state.last_device == ""
    state.used("test:0")
    assert state.last_device == "test:0"
    Path(state.path).write_text(text)
    assert state.last_device == ""
    assert state.next_number("a") == 1
    state.used("test:1")
    assert state.last_device == "test:1"
    assert Path(state.path).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", " letters", "two\nlines", "tab\t"])
def test_a_profile_has_a_name_that_can_be_shown(tmp_path: Path, name: str) -> None:
    path = tmp_path / "config.toml"
    with pytest.raises(PageWorkError, match="is no name for a profile") as caught:
        save_profile(name, {"dpi": 75}, path=str(path))
    assert caught.value.exit_code == 64
    assert not path.exists()
