"""Things that happen a little later in a test, and are over when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SOON = 0.05


@contextmanager
def soon(call: Callable[[], object], seconds: float = SOON) -> Iterator[None]:
    """Make *call* in *seconds*, from another thread."""
    timer = threading.Timer(seconds, call)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
