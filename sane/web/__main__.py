"""``python -m sane.web``: the same as `pysane share`."""

import sys

from ..cli.pysane.main import main

sys.exit(main(["share", *sys.argv[1:]]))
