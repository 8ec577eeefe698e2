"""The process of page work; ends when the server closes its input."""

from __future__ import annotations

import sys

from .process import serve

sys.exit(serve())
