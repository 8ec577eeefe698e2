"""make scan: a page of the test device through the real scanimage, from the staged libraries."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

SETTINGS = {
    "mode": "Color",
    "test-picture": "Color pattern",
    "resolution": "300",
    "br-x": "200",
    "br-y": "200",
}
SCANIMAGE = {"br-x": "-x", "br-y": "-y"}  # its own names for the scan area


def main(stage: str, target: str) -> int:
    """Scan into *target*; print path, size and throughput."""
    stage = os.path.abspath(stage)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "dll.conf"), "w", encoding="ascii") as file:
            file.write("test\n")
        shutil.copy(os.path.join(stage, "etc/sane.d/test.conf"), folder)
        environment = {
            **os.environ,
            "SANE_CONFIG_DIR": folder,
            "LD_LIBRARY_PATH": os.path.join(stage, "lib"),
        }
        scanimage = shutil.which("scanimage")
        if scanimage:
            command = [scanimage, "-d", "test:0", "--format=png"]
            for name, value in SETTINGS.items():
                command += [SCANIMAGE[name], value] if name in SCANIMAGE else [f"--{name}", value]
            with open(target, "wb") as file:
                seconds = timed(command, environment, file)
        else:
            print("scanimage is absent: scanning with pysane-scan instead")
            command = [os.path.join(stage, "bin/pysane-scan"), "-d", "test:0", "-o", target]
            command += [f"{name}={value}" for name, value in SETTINGS.items()]
            seconds = timed(command, environment, None)
    with open(target, "rb") as file:
        width, height = struct.unpack(">II", file.read(24)[16:24])
    size = os.path.getsize(target)
    rate = width * height * 3 / seconds / 1e6
    program = os.path.basename(command[0])
    print(f"{target}: {width} x {height} pixels, {size} bytes, by {program}")
    print(f"{seconds:.3f} s for the whole program, {rate:.0f} MB/s of image data with PNG encoding")
    return 0


def timed(command: list[str], environment: dict[str, str], output: object) -> float:
    """Run *command*; return its seconds. Ends the program if it fails."""
    start = time.monotonic()
    done = subprocess.run(command, env=environment, stdout=output, check=False)  # type: ignore[call-overload]
    if done.returncode:
        raise SystemExit(f"failed with status {done.returncode}: {' '.join(command)}")
    return time.monotonic() - start


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
