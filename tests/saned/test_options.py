"""saned's command line, as it always was, and what is new in it."""

from __future__ import annotations

import pytest

from sane.saned.options import NAMES, USAGE, Options, UsageError, parse

USERS = ("daemon", "saned")


def of(*words: str) -> Options:
    return parse(words, lambda name: name in USERS)


ACCEPTED: tuple[tuple[tuple[str, ...], dict[str, object]], ...] = (
    ((), {"alone": False, "level": 2, "port": None, "bind": "", "to_stderr": False}),
    (("-l",), {"alone": True, "background": False}),
    (("--listen",), {"alone": True}),
    (("-l", "-D"), {"alone": True, "background": True}),
    (("-lD",), {"alone": True, "background": True}),
    (("-a",), {"alone": True, "background": True, "user": ""}),
    (("-asaned",), {"alone": True, "background": True, "user": "saned"}),
    (("--alone",), {"alone": True, "background": True, "user": ""}),
    (("--alone=saned",), {"background": True, "user": "saned"}),
    (("-u", "x"), {"user": "x"}),
    (("-ux",), {"user": "x"}),
    (("--user=x",), {"user": "x"}),
    (("--user", "x"), {"user": "x"}),
    (("-lusaned",), {"alone": True, "user": "saned"}),
    (("-o",), {"once": True}),
    (("-e", "-d", "0"), {"to_stderr": True, "level": 0}),
    (("-d5",), {"level": 5}),
    (("--debug=128",), {"level": 128}),
    (("-b", "::1", "-p", "40000"), {"bind": "::1", "port": 40000}),
    (("--bind=localhost", "--port=0"), {"bind": "localhost", "port": 0}),
    (("-p65535",), {"port": 65535}),
    (("-B", "1024"), {"buffer_kib": 1024}),
    (("--buffer-size=64",), {"buffer_kib": 64}),
    (("-n",), {"allow_network": True}),
    (("-ln", "-e"), {"alone": True, "allow_network": True, "to_stderr": True}),
    (("--allow-network",), {"allow_network": True}),
    ((), {"allow_network": False}),
    (("-h",), {"help": True}),
    (("--help",), {"help": True}),
    (("--check",), {"check": True}),
    (("--backend-path=/a:/b",), {"backend_path": "/a:/b"}),
    (("--lis", "--daem"), {"alone": True, "background": True}),
    (("-l", "--"), {"alone": True, "warnings": []}),
)


@pytest.mark.parametrize(("words", "expected"), ACCEPTED)
def test_options_are_accepted(words: tuple[str, ...], expected: dict[str, object]) -> None:
    options = of(*words)
    assert {name: getattr(options, name) for name in expected} == expected


REFUSED = (
    (("-x",), "-x: unknown option"),
    (("-s",), "-s: unknown option"),
    (("--nonsense",), "--nonsense: unknown option"),
    (("--d",), "--d: not unique"),
    (("--=x",), "--: not unique"),
    (("--listen=yes",), "--listen takes no value"),
    (("-u",), "-u wants a value"),
    (("--user",), "--user wants a value"),
    (("--user=",), "--user wants a value"),
    (("-p", "scanner"), "'scanner' is not a number from 0 to 65535"),
    (("-p", "65536"), "not a number"),
    (("-p", "-1"), "not a number"),
    (("-p", ""), "not a number"),
    (("-d", "high"), "--debug: 'high' is not a number from 0 to 255"),
)


@pytest.mark.parametrize(("words", "text"), REFUSED)
def test_options_are_refused(words: tuple[str, ...], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        of(*words)
    assert text in str(caught.value)


def test_a_user_behind_a_is_what_init_scripts_mean() -> None:
    """Ignored, as it used to be, it left the server running as root."""
    options = of("-a", "daemon")
    assert options.user == "daemon"
    assert "-a daemon is taken as --alone=daemon" in options.warnings[0]


def test_a_word_of_no_option_is_ignored_loudly() -> None:
    for words in (("-a", "nobody-of-this-name"), ("stray", "-l"), ("-l", "--", "-x")):
        options = of(*words)
        assert options.alone
        assert options.user == ""
        assert "belongs to no option" in options.warnings[0]


@pytest.mark.parametrize("value", ["0", "-3", "lots", "99999999999"])
def test_a_wrong_buffer_size_is_told_and_the_default_kept(value: str) -> None:
    options = of(f"--buffer-size={value}")
    assert options.buffer_kib == Options().buffer_kib
    assert "--buffer-size" in options.warnings[0]


def test_usage_names_every_option() -> None:
    for long, (short, _) in NAMES.items():
        assert f"--{long}" in USAGE
        assert not short or f"-{short}," in USAGE
