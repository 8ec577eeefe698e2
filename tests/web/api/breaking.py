"""Page work that is killed while it makes a file: half of one is there."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path


def main() -> None:
    request = json.loads(sys.stdin.readline())
    Path(request["scratch"], "page-00001.png").write_bytes(b"half a page")
    Path(f"{request['target']}.tmp").write_bytes(b"half a file")
    os.kill(os.getpid(), signal.SIGKILL)


main()
