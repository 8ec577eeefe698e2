"""python3 -m sane.cli.pysane: the program pysane."""

import sys

from .main import main

sys.exit(main())
