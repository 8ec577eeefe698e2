"""The original's helpers for configuration files, to compare ours with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests import cc

# Calls the original's helpers in a process of their own. Requests and answers are JSON lines.
REFEREE = """
import ctypes, json, sys
libc, lib = ctypes.CDLL(None), ctypes.CDLL(sys.argv[1])
libc.fopen.restype = lib.sanei_config_read.restype = ctypes.c_void_p
lib.sanei_config_get_string.restype = ctypes.c_void_p
lib.sanei_config_get_paths.restype = ctypes.c_char_p
def paths(_):
    return lib.sanei_config_get_paths().decode("latin-1")
def lines(path):
    file = ctypes.c_void_p(libc.fopen(path.encode(), b"r"))
    buffer, found = ctypes.create_string_buffer(4096), []
    while lib.sanei_config_read(buffer, 4096, file):
        found.append(buffer.value.decode("latin-1"))
    libc.fclose(file)
    return found
def get_string(text):
    buffer, token = ctypes.create_string_buffer(text.encode("latin-1")), ctypes.c_char_p()
    end = lib.sanei_config_get_string(buffer, ctypes.byref(token)) - ctypes.addressof(buffer)
    value = None if token.value is None else token.value.decode("latin-1")
    return [value, text[end:]]
for request in sys.stdin:
    function, argument = json.loads(request)
    print(json.dumps(globals()[function](argument)), flush=True)
"""


class Referee:
    """The original's helper functions."""

    def __init__(self, variables: dict[str, str]) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("SANE_", "LD_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-c", REFEREE, str(cc.distribution_libsane())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean | variables,
        )

    def ask(self, function: str, argument: object) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([function, argument]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate(timeout=10)
