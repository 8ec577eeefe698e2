"""Things that happen a little later in a test, and waiting for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SOON = 0.05
SECONDS = 10.0  # for anything that takes milliseconds


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


def wait_until(
    condition: Callable[[], object], seconds: float = SECONDS, pause: float = 0.005
) -> bool:
    """Poll *condition* until it is true; False if it stays false."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
