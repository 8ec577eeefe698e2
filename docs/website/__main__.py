"""python -m website: make the site in build/site/html, or say what is wrong with a page."""

from __future__ import annotations

import argparse
import shutil
import sys

from . import benchmarks, links, manual, mending, reference, scanners
from .pages import Pages, navigation
from .places import HERE, HTML, ROOT, SITE, SOURCE


def write_sources() -> None:
    """Write all pages to where Sphinx reads them."""
    pages = Pages()
    names = pages.add_all()
    manual.add_manual(pages)
    reference.add_reference(pages)
    scanners.add_scanners(pages)
    benchmarks.add_plots(pages)
    home = (SOURCE / "index.md").read_text(encoding="utf-8")
    every = [*names, "scanners", "man/index", "api/index"]
    pages.write("index", home + navigation(every))
    pages.remove_others()


def build() -> int:
    """Run Sphinx; warnings are errors."""
    from sphinx.cmd.build import build_main

    status: int = build_main(
        [
            *("-b", "html", "-W", "--keep-going", "-q"),
            "-a",  # a new page is in the navigation of all
            *("-c", str(HERE), "-d", str(SITE / "doctrees")),
            *(str(SOURCE), str(HTML)),
        ]
    )
    return status


def main() -> int:
    """Make the site; return 1 if a page has a fault or a link leads nowhere."""
    parser = argparse.ArgumentParser(prog="python -m website", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="make every page anew")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(SITE, ignore_errors=True)
    write_sources()
    status = build()
    if status:
        return status
    mending.mend(HTML)
    dead = links.dead_links(HTML)
    print("\n".join(dead), end="\n" if dead else "")
    print(f"{(HTML / 'index.html').relative_to(ROOT)}: {len(list(HTML.rglob('*.html')))} pages")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
