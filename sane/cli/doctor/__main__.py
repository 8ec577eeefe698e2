"""python3 -m sane.cli.doctor: the program pysane doctor."""

from __future__ import annotations

import sys

from . import main

sys.exit(main())
