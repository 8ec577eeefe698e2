"""The corpora of the fuzz targets, and seeded garbage made of them, without the fuzzer."""

from __future__ import annotations

import random
from importlib import import_module
from typing import Any

import pytest

from tests.fuzz.garbage import CORPUS, changed, inputs_of

TARGETS = sorted(path.name for path in CORPUS.iterdir() if path.name != "abi")  # a process each
MANY, FEW, SLOW = 600, 40, ("epson", "fujitsu", "pixma")


def check_of(target: str) -> Any:
    if target == "jpeg":
        pytest.importorskip("sane.image.jpeg", reason="this tree is not compiled")
    if target == "tickets":
        pytest.importorskip("starlette", reason="peer absent: the Python package starlette")
    return import_module(f"tests.fuzz.{target}").check


@pytest.mark.parametrize("target", TARGETS)
def test_fuzz_the_corpus_shows_no_fault(target: str) -> None:
    check, inputs = check_of(target), inputs_of(target)
    assert inputs
    for data in inputs:
        check(data)


@pytest.mark.parametrize("target", TARGETS)
def test_fuzz_garbage_made_of_the_corpus_shows_no_fault(target: str) -> None:
    check = check_of(target)
    chance, inputs = random.Random(4), inputs_of(target)
    for _ in range(FEW if target in SLOW else MANY):
        check(changed(inputs, chance))


def test_fuzz_the_codec_corpus_holds_every_kind_of_record() -> None:
    from tests.fuzz.codec import seeds

    for name, data in seeds().items():
        assert (CORPUS / "codec" / name).read_bytes() == data, name


def test_fuzz_the_server_corpus_holds_every_kind_of_session() -> None:
    from tests.fuzz.server import seeds

    for name, data in seeds().items():
        assert (CORPUS / "server" / name).read_bytes() == data, name
