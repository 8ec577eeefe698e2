"""Texts for the user: --help, --version, and what to do when no device is found."""

from __future__ import annotations

from ... import __version__

LIBRARY = "1.2.1"  # of SANE: what our libsane.so.1 says, and programs look for
PATHS = """
You seem to have specified a UNIX device name, or filename instead of selecting
the SANE scanner or image acquisition device you want to use. As an example,
you might want "epson:/dev/sg0" or "hp:/dev/usbscanner0". If any supported
devices are installed in your system, you should be able to see a list with
"{program} --list-devices".
"""
NOTHING_FOUND = """
No scanners were identified. If you were expecting something different,
check that the scanner is plugged in, turned on and detected by the
sane-find-scanner tool (if appropriate). Please read the documentation
which came with this software (README, FAQ, manpages).
"""
USAGE = """\
Usage: {program} [OPTION]...

Scan a page, or with --batch a stack of them, and write the picture to standard
output or to files. The options of a device are shown by -d DEVICE --help, and
are set in the order given, before the scan.

An argument of a short option is a word of its own (-d test:0), that of a long
one stands behind a = (--device-name=test:0).
-d, --device-name=DEVICE   use this scanner (default: SANE_DEFAULT_DEVICE, else
                           the first that is found)
    --format=pnm|tiff|png|jpeg|pdf  format of the picture
-i, --icc-profile=PROFILE  put this ICC profile into TIFF and PNG files
-L, --list-devices         show the scanners that are there
-f, --formatted-device-list=FORMAT  show them as FORMAT says: %d (device name),
                           %v (vendor), %m (model), %t (type), %i (number from
                           0) and %n (line break)
-b, --batch[=FORMAT]       scan page after page into files; FORMAT is out%d.pnm,
                           or another ending for another --format
                           Not together with --output-file.
    --batch-start=#        number of the first page
    --batch-count=#        how many pages to scan
    --batch-increment=#    what to add to the number for each page
    --batch-double         add two, the same as --batch-increment=2
    --batch-print          print the names of the files
    --batch-prompt         ask for the RETURN key before each page
    --accept-md5-only      give no password that would be sent as it is
-p, --progress             show how far the scan has come
-o, --output-file=PATH     write the picture to this file
                           Not together with --batch.
-n, --dont-scan            only set options, do not scan
-T, --test                 try the device with reads of many sizes
-A, --all-options          show all options of the device
-h, --help                 show this text
-v, --verbose              tell more; twice: even more
-B, --buffer-size[=#]      read so many kB at once (default: 1024)
-V, --version              show the versions
"""
HINT = "Type ``{program} --help -d DEVICE'' to get list of all options for DEVICE.\n"


def version(program: str) -> str:
    """Return the line of --version, of the form that scripts know."""
    return f"{program} (pysane {__version__}) {__version__}; backend version {LIBRARY}\n"
