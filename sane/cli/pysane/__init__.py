"""The program pysane: scanners and scans from the command line, over the Python API alone."""
