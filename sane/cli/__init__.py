"""Command-line programs, thin, over the Python API."""
