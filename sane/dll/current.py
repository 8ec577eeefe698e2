"""The registry between sane_init and sane_exit: made once, whichever thread asks first.

It knows when a registry begins and ends, nothing of what it does. sane_exit may come while other
threads are in a call of the registry: then it ends with the last of these, so that no backend is
told to exit, and no C backend unloaded, while it works.
"""

from __future__ import annotations

import _thread

from .registry import Single, registry_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..backend import Context
    from .registry import Registry


class Current:
    """The registry of one loaded library.

    A *generation* numbers the states of the library, upwards: odd from sane_init to sane_exit,
    even from there to the next sane_init. A call may come late with the number of an earlier one.
    """

    def __init__(self, backend: str, make: Callable[..., Registry | Single] = registry_for) -> None:
        self._backend = backend
        self._make = make
        self._lock = _thread.allocate_lock()
        self._registry: Registry | Single | None = None
        self._generation = 0  # of the registry
        self._asleep: Single | None = None  # ended, but its backend survives that
        self._calls: dict[Registry | Single, int] = {}  # how many are under way
        self._ending: list[Registry | Single] = []  # with their last call

    def take(self, generation: int, context: Callable[[], Context]) -> Registry | Single:
        """Return the registry for a call; context() is asked if there is none of *generation*."""
        with self._lock:
            if self._registry is None or self._generation < generation:
                self._end()
                self._registry = self._begin(context(), bool(generation % 2))
                self._generation = generation
            registry = self._registry
            self._calls[registry] = self._calls.get(registry, 0) + 1
        return registry

    def give_back(self, registry: Registry | Single, generation: int) -> None:
        """Note that the call has returned; *generation* is that of now."""
        with self._lock:
            self._calls[registry] -= 1
            if not self._calls[registry]:
                del self._calls[registry]
                if registry in self._ending:
                    self._ending.remove(registry)
                    registry.exit()
            self._end_before(generation)

    def end(self, generation: int) -> None:
        """End the registry of before that sane_exit, with the last call that is under way."""
        with self._lock:
            self._end_before(generation)

    def _end_before(self, generation: int) -> None:
        if generation // 2 > self._generation // 2:
            self._end()

    def _begin(self, context: Context, is_initialised: bool) -> Registry | Single:
        asleep, self._asleep = self._asleep, None
        if asleep is None:
            return self._make(self._backend, context, is_initialised)
        asleep.renew(context, is_initialised)
        return asleep

    def _end(self) -> None:
        registry, self._registry = self._registry, None
        if registry is None:
            return
        if registry in self._calls:
            self._ending.append(registry)
        elif registry.exit() and isinstance(registry, Single):
            self._asleep = registry
