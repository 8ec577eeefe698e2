"""USB: which devices there are, and the one interface to an open one (handle.py)."""
