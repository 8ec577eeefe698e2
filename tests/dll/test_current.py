"""The registry of a library: made once, ended once, and never under a call."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from sane.backend import Context
from sane.config import Environment
from sane.dll.current import Current
from sane.dll.registry import Single

PATIENCE = 20.0


class FakeRegistry(Single):
    """Notes how often it was ended; its backend may survive that."""

    def __init__(self, context: Context, initialised: bool, survives: bool) -> None:
        self.contexts = [(context, initialised)]
        self.survives = survives
        self.exits = 0

    def exit(self) -> bool:
        self.exits += 1
        return self.survives

    def renew(self, context: Context, initialised: bool) -> None:
        self.contexts.append((context, initialised))


class Made:
    """Makes registries; with a gate, each as slowly as the test wants."""

    def __init__(self, survives: bool = False) -> None:
        self.all: list[FakeRegistry] = []
        self.survives = survives
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, backend: str, context: Context, initialised: bool) -> FakeRegistry:
        self.begun.set()
        assert self.gate.wait(PATIENCE)
        self.all.append(FakeRegistry(context, initialised, self.survives))
        return self.all[-1]


@pytest.fixture
def made() -> Made:
    return Made()


def context() -> Context:
    return Context(Environment({}))


def call(current: Current, generation: int) -> Any:
    """Take the registry and give it back at once."""
    registry = current.take(generation, context)
    current.give_back(registry, generation)
    return registry


def test_one_recording_has_one_registry(made: Made) -> None:
    current = Current("", made)
    assert call(current, 1) is call(current, 1)
    assert made.all[0].contexts[0][1] is True


def test_first_calls_at_once_make_one_registry(made: Made) -> None:
    made.gate.clear()
    current = Current("", made)
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(current.take(1, context))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    assert made.begun.wait(PATIENCE)
    made.gate.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(made.all) == 1 and set(found) == set(made.all)


def test_an_end_without_calls_is_at_once_and_once(made: Made) -> None:
    current = Current("", made)
    call(current, 1)
    current.end(2)
    current.end(2)
    assert made.all[0].exits == 1


def test_an_end_before_the_first_call_is_nothing(made: Made) -> None:
    current = Current("", made)
    current.end(2)
    assert not made.all


def test_an_end_waits_for_the_last_call(made: Made) -> None:
    current = Current("", made)
    first, second = current.take(1, context), current.take(1, context)
    current.end(2)
    current.give_back(first, 2)
    assert made.all[0].exits == 0
    current.give_back(second, 2)
    assert made.all[0].exits == 1


def test_who_comes_after_the_end_gets_a_registry_of_its_own(made: Made) -> None:
    current = Current("", made)
    old = current.take(1, context)
    current.end(2)
    new = current.take(3, context)
    assert new is not old
    current.give_back(old, 3)
    current.give_back(new, 3)
    assert [registry.exits for registry in made.all] == [1, 0]


def test_a_call_that_comes_late_does_not_end_a_newer_registry(made: Made) -> None:
    current = Current("", made)
    new = call(current, 3)
    assert call(current, 1) is new
    current.end(2)
    assert made.all[0].exits == 0


def test_a_call_that_comes_after_the_end_ends_what_it_made(made: Made) -> None:
    """A thread had looked at the recording just before sane_exit."""
    current = Current("", made)
    call(current, 1)
    current.end(2)
    late = current.take(1, context)
    current.give_back(late, 2)
    assert [registry.exits for registry in made.all] == [1, 1]


def test_a_call_before_sane_init_does_not_stay(made: Made) -> None:
    current = Current("test", made)
    call(current, 0)
    call(current, 1)
    assert [registry.exits for registry in made.all] == [1, 0]
    assert [registry.contexts[0][1] for registry in made.all] == [False, True]


def test_a_backend_that_survives_goes_on_with_its_registry() -> None:
    made = Made(survives=True)
    current = Current("test", made)
    first = call(current, 1)
    current.end(2)
    assert call(current, 3) is first
    assert len(made.all[0].contexts) == 2


def test_a_registry_that_cannot_be_made_is_tried_again(made: Made) -> None:
    current = Current("", made)

    def broken() -> Context:
        raise MemoryError

    with pytest.raises(MemoryError):
        current.take(1, broken)
    assert call(current, 1) is made.all[0]
