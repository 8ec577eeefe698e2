"""Garbage made of a corpus, without a view of the code: for what no coverage can be had of."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
ODD = (0, 1, 3, 0x7F, 0x80, 0xFF)


def inputs_of(target: str) -> list[bytes]:
    """Return the inputs of a target's corpus, in the order of their names."""
    return [path.read_bytes() for path in sorted((CORPUS / target).iterdir())]


def changed(inputs: Sequence[bytes], chance: random.Random) -> bytes:
    """Return one of *inputs* with up to five changes."""
    data = bytearray(chance.choice(inputs))
    for _ in range(chance.randrange(1, 6)):
        place = chance.randrange(len(data) + 1)
        if chance.random() < 0.3:
            data[place:place] = chance.choice(inputs)[: chance.randrange(9)]
        elif place < len(data):
            data[place] = chance.choice((*ODD, chance.randrange(256)))
    return bytes(data)


def try_garbage(target: str, check: Callable[[bytes], None], seconds: float, found: Path) -> None:
    """Call *check* with garbage for *seconds*; what it does not stand is kept in folder *found*."""
    inputs, chance, runs = inputs_of(target), random.Random(time.time_ns()), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = changed(inputs, chance)
        try:
            check(data)
        except BaseException:
            (found / "crash-garbage").write_bytes(data)
            print(f"#{runs} {data.hex()}")
            raise
        runs += 1
    print(f"Done {runs} runs in {seconds:.0f} seconds")
