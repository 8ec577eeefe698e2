"""Debug messages as records of Python's logging, for programs that use it.

It knows logging, which is only used where the program has imported it. Levels of SANE_DEBUG_*
become those of logging; one that nobody listens to costs a comparison. Source: python-api 10.8.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ROOT = "sane"
OTHERS = ("dll",)  # what is no backend
NAMES = {0: "ERROR", 1: "WARNING", 2: "INFO"}  # and DEBUG from 3 on


class Log:
    """What a Debug asks and tells."""

    def __init__(self) -> None:
        self._has_begun = False

    def on(self, name: str, level: int) -> bool:
        """Tell whether a message of *level* goes anywhere."""
        logger = self._logger(name)
        return logger is not None and bool(logger.isEnabledFor(_level(level)))

    def put(self, name: str, level: int, text: str) -> None:
        """Hand a message on; what a handler raises is logging's business."""
        logger = self._logger(name)
        if logger is not None:
            logger.handle(_record(logger.name, _level(level), text))

    def _logger(self, name: str) -> Any:
        logging: Any = sys.modules.get("logging")
        if not hasattr(logging, "getLogger"):  # not imported, or being imported
            return None
        if not self._has_begun:
            self._has_begun = True
            root = logging.getLogger(ROOT)
            if not root.handlers:  # else logging prints what no handler takes
                root.addHandler(logging.NullHandler())
        return logging.getLogger(f"{ROOT}.{name}" if name in OTHERS else f"{ROOT}.backend.{name}")


def _record(name: str, level: int, text: str) -> Any:
    """Return a record made without threading.current_thread().

    That would enter each thread of ours, of which threading knows nothing, in a list for good.
    """
    import _thread
    import os
    import time

    logging: Any = sys.modules["logging"]
    record = logging.LogRecord.__new__(logging.LogRecord)
    now = time.time()
    nothing = ("args", "exc_info", "exc_text", "stack_info", "taskName")
    vars(record).update(
        dict.fromkeys(nothing),
        name=name,
        msg=text,
        levelno=level,
        levelname=logging.getLevelName(level),
        pathname=__file__,
        filename=os.path.basename(__file__),
        module="logs",
        lineno=0,
        funcName="put",
        created=now,
        msecs=now % 1 * 1000,
        relativeCreated=0.0,
        thread=_thread.get_ident(),
        threadName=None,
        process=os.getpid(),
        processName=None,
    )
    return record


def _level(level: int) -> int:
    logging: Any = sys.modules["logging"]
    found: int = getattr(logging, NAMES.get(max(level, 0), "DEBUG"))
    return found
