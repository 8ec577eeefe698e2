"""The process of one attempt: reads what to send from its input, says what became of it."""

from __future__ import annotations

import sys

from .sending import main

sys.exit(main())
