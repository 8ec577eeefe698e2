"""The API for new Python programs: devices, scanners, pages. Its names are those of ``sane``.

It knows the registry, and the calls and frames of sane.scanner; it knows nothing of C, of
python-sane's names, or of command lines.
"""
