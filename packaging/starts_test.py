"""make test-starts: the pages of five minutes, followed word by word in a clean root.

The root is a minimal Debian with sudo, and the last commit of this tree; nothing else is there
before the page says so. Each page gets a root of its own, made from the first state in
build/starts. What the page made is checked; the log of each stands beside the roots. Needs root.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

import clean_root
from distro_test import TREE, Release

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.website.starts import NAMES, script  # noqa: E402

MADE = {
    "start-administrator": "page.png",
    "start-driver": "gradient.png",
    "start-owner": "letter.pdf photo.png stack.pdf page.png",
    "start-python": "page.png sheet-1.png sheet-3.png",
}
SUDO = "apt-get update -qq && apt-get install -qq -y --no-install-recommends sudo ca-certificates"


def fresh(suite: str, folder: Path, name: str) -> Release:
    """Return a root in which nothing was done yet, with the tree in it."""
    first = Release(suite, folder)
    if not (first.path / "root/ready").exists():
        clean_root.make(first.path, suite, "debian", folder / "packages")
        first.run(SUDO)
        (first.path / "root/ready").touch()
    root = Release(suite, folder)
    root.suite, root.path = f"{suite}-{name}", folder / f"{suite}-{name}"
    root.log = folder / f"{suite}-{name}.log"
    shutil.rmtree(root.path, ignore_errors=True)
    subprocess.run(["cp", "-a", str(first.path), str(root.path)], check=True)
    root.log.write_bytes(b"")
    clean_root.connect(root.path)
    for variable in ("PIP_CERT", "SSL_CERT_FILE"):
        root.certificates(root.environment.get(variable, ""))
    tree = root.path / TREE
    tree.mkdir()
    with subprocess.Popen(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", tree], stdin=archive.stdout, check=True)
    return root


def follow(suite: str, folder: Path, name: str) -> bool:
    """Follow one page; tell whether all of it worked."""
    root = fresh(suite, folder, name)
    (root.path / "root/page.sh").write_text(script(name, installs=True), encoding="utf-8")
    started = time.monotonic()
    status = root.run(f"cd /{TREE} && bash -x ../page.sh", check=False)
    if not status:
        status = root.run(f"cd /{TREE} && ls -l {MADE[name]}", check=False)
    spent = time.monotonic() - started
    told = "followed" if not status else f"STOPPED, see {root.log}"
    print(f"{suite}: docs/{name}.md: {told}, {spent:.0f} s", flush=True)
    if not status:
        shutil.rmtree(root.path)
    return not status


def main() -> int:
    """Follow the pages; return 1 if one stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pages", nargs="*", default=NAMES, metavar="PAGE")
    parser.add_argument("--suite", default="bookworm")
    options = parser.parse_args()
    clean_root.require("test-starts")
    folder = ROOT / "build" / "starts"
    folder.mkdir(parents=True, exist_ok=True)
    done = [follow(options.suite, folder, name) for name in options.pages]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
