"""The libraries of page work: imported when they are needed, or an error that says what to install.

It knows which extra and which Debian package bring a library, and nothing of what it does.
"""

from __future__ import annotations

from .problem import missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Name to import -> what people call it, the extra, Debian's package.
KNOWN = {
    "numpy": ("NumPy", "pages", "python3-numpy"),
    "cv2": ("OpenCV", "pages", "python3-opencv"),
    "PIL": ("Pillow", "cli", "python3-pil"),
    "pikepdf": ("pikepdf", "cli", "python3-pikepdf"),
    "tomllib": ("tomllib", "cli", "python3"),
    "tomli": ("tomli", "cli", "python3-tomli"),
}


def require(name: str, what: str) -> Any:
    """Return the library *name* for doing *what*; without it raises PageWorkError (69)."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as exc:
        title, extra, package = KNOWN[name.partition(".")[0]]
        hint = f"pip install 'sane-stack[{extra}]' (Debian: apt install {package})"
        raise missing(what, title, hint) from exc


def opencv(what: str) -> Any:
    """Return OpenCV, which is told to use the calling thread alone: pages go side by side."""
    cv2 = require("cv2", what)
    if cv2.getNumThreads() != 1:
        cv2.setNumThreads(1)
    return cv2
