"""pysane's other commands: list, info, preview, profile, watch-button, completion."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ABSENT
from tests.support.pysane import SECONDS, Program, assert_valid

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


# list


def test_list_shows_a_line_for_each(program: Program) -> None:
    done = program.run("list")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "paper:pages3  Acme Stack 300  sheetfed scanner",
        "paper:flat    Acme Flat 100   flatbed scanner",
    ]


def test_list_as_json(program: Program) -> None:
    found = program.json("list")
    assert [device["name"] for device in found["devices"]] == ["paper:pages3", "paper:flat"]
    found = program.json("list", status=66, PAPER_NONE="1")
    assert found["error"]["name"] == "NO_DEVICE"
    assert found["devices"] == []


def test_a_backend_that_is_missing_is_told_when_asked(program: Program) -> None:
    (program.folder / "sane.d" / "dll.conf").write_text("paper\nnonesuch\n")
    assert program.run("list").stderr == ""
    assert "backend nonesuch: " in program.run("list", "-v").stderr
    assert program.json("list")["problems"][0]["backend"] == "nonesuch"
    none = program.run("list", PAPER_NONE="1")  # a distribution's dll.conf names many such
    assert "nonesuch" not in none.stderr and "could not be asked" not in none.stderr


def test_a_backend_that_fails_is_named_where_nothing_is_found(program: Program) -> None:
    (program.folder / "sane.d" / "dll.conf").write_text("paper\nbroken\nnonesuch\n")
    (program.folder / "drivers" / "broken.py").write_text("raise OSError(5, 'no bus')\n")
    done = program.run("list", PAPER_NONE="1")
    assert "could not be asked: broken; pysane list -v tells why" in done.stderr


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_list_goes_on_watching_until_a_signal(program: Program, words: list[str]) -> None:
    with subprocess.Popen(
        program.command("list", "--watch", *words),
        env=program.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, err
    assert err == ""
    if words:
        for line in lines:
            assert_valid(json.loads(line))
    else:
        assert lines[0].startswith("+ paper:pages3  Acme Stack 300")


# info


def test_info_shows_abilities_and_options(program: Program) -> None:
    text = program.run("info", "paper:flat").stdout
    assert "  sources      flatbed, feeder\n" in text
    assert "  modes        color, gray, lineart\n" in text
    assert "  resolution = 100   (100, 50, 75, 200 dpi)\n" in text
    assert "  load = no   (yes, no)   [read-only]\n" in text
    assert "Resolution of the scan." not in text
    assert "Resolution of the scan." in program.run("info", "paper:flat", "--all").stdout
    assert "  mode = Color " in program.run("info", "paper:flat", "mode=color").stdout


def test_info_as_scanimage_prints_it(program: Program) -> None:
    text = program.run("info", "flat 100", "--scanimage").stdout
    assert "All options specific to device `paper:flat':\n" in text
    assert "    --resolution 100|50|75|200dpi [100]\n" in text


def test_info_as_json(program: Program) -> None:
    found = program.json("info", "flat 100")
    assert found["device"]["model"] == "Flat 100"
    assert found["capabilities"]["modes"] == ["color", "gray", "lineart"]
    assert found["options"]["quality"]["range"] == [0, 100, 0]


# preview


def test_a_preview_is_coarse(program: Program) -> None:
    found = program.json("preview", "paper:flat")
    assert found["files"][0]["path"] == "preview.png"
    assert found["settings"]["applied"]["resolution"] == 50
    assert program.run("preview", "paper:flat").returncode == 73
    assert program.run("preview", "paper:flat", "-f").returncode == 0


# profile


def test_a_home_that_cannot_be_written_to_is_told_with_the_remedy(program: Program) -> None:
    """Only what must be kept needs it: scanning does not."""
    home = {"HOME": "/proc/no", "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": "", "XDG_CACHE_HOME": ""}
    done = program.run("profile", "save", "letters", "flat 100", **home)
    assert (done.returncode, done.stdout) == (73, "")
    assert done.stderr == (
        "pysane: error: cannot make the folder /proc/no/.config/pysane: No such file or directory\n"
        "pysane:   set XDG_CONFIG_HOME to a folder that you may write to\n"
    )
    assert program.run("scan", "-d", "flat 100", "-o", "page.png", **home).returncode == 0


def test_a_profile_is_saved_shown_used_and_deleted(program: Program) -> None:
    save = ("profile", "save", "letters", "flat 100", "-m", "gray", "--skip-blank", "quality=20")
    done = program.run(*save, "--area", "0,0,30,20", "--crop", "5")
    assert done.returncode == 0, done.stderr
    text = program.run("profile", "show", "letters").stdout
    assert "[profiles.letters]\n" in text
    for line in ('mode = "gray"', 'device = "flat 100"', "skip-blank = 0.3", "crop = 5.0"):
        assert f"{line}\n" in text
    done = program.run(*save)
    assert done.returncode == 73
    assert "letters is there already" in done.stderr
    assert program.run(*save, "--force").returncode == 0
    found = program.json("scan", "-p", "letters", "-o", "x.png")
    assert found["device"]["name"] == "paper:flat"
    assert found["settings"]["asked"] == {"mode": "gray", "quality": "20"} or (
        found["settings"]["asked"] == {"mode": "gray", "quality": 20}
    )
    assert found["pages"][0]["blank"] is False
    assert list(program.json("profile", "list")["profiles"]) == ["letters"]
    assert program.run("profile", "delete", "letters").returncode == 0
    assert program.run("profile", "show", "letters").returncode == 78


def configured(program: Program, text: str) -> None:
    folder = program.folder / "config" / "pysane"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(text)


CONFIG = """[defaults]
mode = "color"
[devices."*flat*"]
options = { quality = 11 }
[devices."Stack*"]
options = { quality = 22 }
[profiles.a]
mode = "gray"
[profiles.b]
extends = "a"
dpi = 75
"""


def test_what_is_read_later_wins(program: Program) -> None:
    configured(program, CONFIG)
    ask = ("scan", "-o", "x.pdf", "--dry-run")

    def asked(*words: str, **more: str) -> dict[str, object]:
        known: dict[str, object] = program.json(*ask, *words, status=0, **more)["settings"]["asked"]
        return known

    assert asked("paper:flat") == {"mode": "color", "quality": 11}
    assert asked("paper:pages3") == {"mode": "color", "quality": 22}
    assert asked("paper:flat", "-p", "b") == {"mode": "gray", "resolution": 75, "quality": 11}
    variables = {"PYSANE_SCAN_PROFILE": "b", "PYSANE_SCAN_DPI": "50"}
    assert asked("paper:flat", **variables)["resolution"] == 50
    assert asked("paper:flat", "-r", "200", "-m", "lineart", **variables) == {
        "mode": "lineart",
        "resolution": 200,
        "quality": 11,
    }
    assert asked("paper:flat", "--no-profile", **variables)["mode"] == "color"
    assert asked("paper:flat", "quality=33")["quality"] == 33


def test_which_device_is_meant(program: Program) -> None:
    configured(program, "[defaults]\ndevice = 'flat'\n[profiles.p]\ndevice = 'paper:flat'\n")

    def device(*words: str, **more: str) -> object:
        return program.json("scan", "--dry-run", *words, status=0, **more)["device"]["name"]

    assert device() == "paper:flat"
    assert device(SANE_DEFAULT_DEVICE="stack") == "paper:pages3"
    assert device("-p", "p", SANE_DEFAULT_DEVICE="stack") == "paper:flat"
    assert device("-d", "stack", "-p", "p") == "paper:pages3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[defaults]\nmod = 1\n", "config.toml:2: unknown key 'mod'; did you mean mode?"),
        ("[defaults]\ndpi = [1]\n", "config.toml:2: dpi is [1]"),
        ("[defaults]\nmode = 'purple'\n", "config.toml:2: mode: 'purple' is none of color, gray"),
        ("[profiles.z]\n\ndepth = 7\n", "config.toml:3: depth: invalid choice: 7"),
        ("[devices.'x*']\npages = 0\n", "config.toml:2: pages: 0 is not within 1 to 100000"),
        ("[defaults\n", "config.toml:1: "),
        ("[profiles.a]\nextends = 'b'\n", "'b' is not there"),
    ],
)
def test_a_wrong_configuration_ends_with_78(program: Program, text: str, message: str) -> None:
    configured(program, text)
    done = program.run("scan", "paper:flat", "-o", "x.pdf", "--dry-run", "-p", "a")
    assert done.returncode == 78, done.stderr
    told = done.stderr.replace("choice: '7'", "choice: 7")  # as Python 3.13 writes it
    assert message in told or "'a' is not there" in told


def test_a_misspelt_profile(program: Program) -> None:
    configured(
        program, CONFIG.replace("profiles.a", "profiles.letters").replace('"a"', '"letters"')
    )
    done = program.run("scan", "paper:flat", "-o", "x.pdf", "-p", "leters")
    assert done.returncode == 78
    assert "did you mean letters?" in done.stderr


def test_hooks_of_the_configuration_run(program: Program) -> None:
    told = program.folder / "told"
    hook = f"'echo \"$PYSANE_NUMBER\" >> {told}; test -s'"
    configured(program, f"[hooks]\nafter_page = {hook}\nafter_file = 'test -s'\n")
    done = program.run("scan", "paper:pages2", "-o", "x.pdf")
    assert (done.returncode, done.stderr) == (0, "")
    assert told.read_text() == "1\n2\n"


# watch-button


def test_a_button_runs_a_command(program: Program) -> None:
    pressed, told = program.folder / "pressed", program.folder / "told"
    command = f'echo "$SANE_DEVICE $SANE_BUTTON" > {told}'
    words = ("watch-button", "paper:flat", "--run", command, "--once", "--interval", "0.05")
    with subprocess.Popen(
        program.command(*words, "--json"),
        cwd=program.out,
        env=program.environment(PAPER_PRESSED=str(pressed)),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        until = time.monotonic() + SECONDS
        while process.poll() is None and time.monotonic() < until:
            pressed.touch()
            time.sleep(0.2)
        out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    event = json.loads(out)
    assert_valid(event)
    assert (event["button"], event["device"]) == ("load", "paper:flat")
    assert told.read_text() == "paper:flat load\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "--run CMD is missing"),
        (["--run", "true", "--button", "lod"], "no button 'lod'; did you mean load"),
        (["--run", "true", "second"], "'second' is one word too many"),
    ],
)
def test_a_button_that_cannot_be_watched(program: Program, words: list[str], text: str) -> None:
    done = program.run("watch-button", "paper:flat", *words)
    assert done.returncode == 64
    assert text in done.stderr


# completion


def shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{ABSENT}{name}")
    return found


def completed(program: Program, name: str, script: str) -> list[str]:
    """Return what a shell prints, with a program pysane on its path and our completions read."""
    path = program.folder / "pysane"
    command = " ".join(program.command())
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)
    source = program.folder / f"completion.{name}"
    source.write_text(program.run("completion", name).stdout)
    variables = program.environment()
    variables["PATH"] = f"{program.folder}:{variables['PATH']}"
    options = {"zsh": ["-f"], "fish": ["--no-config"], "bash": ["--norc"]}[name]
    done = subprocess.run(
        [shell(name), *options, "-c", script.replace("@SOURCE@", str(source))],
        cwd=program.out,
        env=variables,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.split()


LINES = [
    ("pysane sc", ["scan"]),
    ("pysane scan --qua", ["--quality"]),
    ("pysane scan -m gr", ["gray"]),
    ("pysane scan -d paper:fl", ["flat"]),
    ("pysane scan paper:flat qual", ["quality="]),
    ("pysane scan paper:flat mode=G", ["Gray"]),
    ("pysane scan -p let", ["letters"]),
    ("pysane completion z", ["zsh"]),
]


@pytest.mark.parametrize(("line", "candidates"), LINES)
def test_bash_completes(program: Program, line: str, candidates: list[str]) -> None:
    configured(program, "[profiles.letters]\ndpi = 100\n")
    script = "source @SOURCE@\nCOMP_LINE=$LINE COMP_POINT=${#LINE}\n_pysane\n"
    script += 'printf "%s\\n" "${COMPREPLY[@]}"'
    assert completed(program, "bash", f"LINE='{line}'\n{script}") == candidates


@pytest.mark.parametrize(("line", "candidates"), LINES)
def test_fish_completes(program: Program, line: str, candidates: list[str]) -> None:
    configured(program, "[profiles.letters]\ndpi = 100\n")
    found = completed(program, "fish", f"source @SOURCE@; complete -C '{line}'")
    assert any(word.endswith(candidates[0]) for word in found), found


def test_zsh_reads_its_script(program: Program) -> None:
    """Completing needs its line editor; what is asked there is asked of the others, too."""
    script = "autoload -U compinit; compinit -D; source @SOURCE@; print $_comps[pysane]"
    assert completed(program, "zsh", script) == ["_pysane"]
