"""The corpora of the fuzz targets, and seeded garbage made of them, without the fuzzer."""

from __future__ import annotations

import random
from importlib import import_module
from pathlib import Path

import pytest

CORPUS = Path(__file__).parent / "corpus"
TARGETS = sorted(path.name for path in CORPUS.iterdir())


@pytest.mark.parametrize("target", TARGETS)
def test_fuzz_the_corpus_shows_no_fault(target: str) -> None:
    check = import_module(f"tests.fuzz.{target}").check
    files = sorted((CORPUS / target).iterdir())
    assert files
    for path in files:
        check(path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_fuzz_garbage_made_of_the_corpus_shows_no_fault(target: str) -> None:
    check = import_module(f"tests.fuzz.{target}").check
    chance = random.Random(4)
    inputs = [path.read_bytes() for path in sorted((CORPUS / target).iterdir())]
    for _ in range(600):
        data = bytearray(chance.choice(inputs))
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(data) + 1)
            if chance.random() < 0.3:
                data[place:place] = chance.choice(inputs)[: chance.randrange(9)]
            elif place < len(data):
                data[place] = chance.choice((0, 1, 3, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        check(bytes(data))


def test_fuzz_the_codec_corpus_holds_every_kind_of_record() -> None:
    from tests.fuzz.codec import seeds

    for name, data in seeds().items():
        assert (CORPUS / "codec" / name).read_bytes() == data, name


def test_fuzz_the_server_corpus_holds_every_kind_of_session() -> None:
    from tests.fuzz.server import seeds

    for name, data in seeds().items():
        assert (CORPUS / "server" / name).read_bytes() == data, name
