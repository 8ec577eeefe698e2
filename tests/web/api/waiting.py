"""Page work that makes files of its own: it notes each request, and waits for a gate.

Both lie beside the server's folder for what is being made: "requests", a line for each, and "gate".
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        place = Path(request["scratch"]).parent.parent
        with open(place / "requests", "a") as requests:
            requests.write(f"{request['do']}\n")
        while not (place / "gate").exists():
            time.sleep(0.01)
        Path(request["target"]).write_bytes(b"%PDF-")
        print(json.dumps({"kind": "pdf", "bytes": 5, "notes": []}), flush=True)


main()
