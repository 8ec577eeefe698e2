"""How PySANE is built: what setup.py and the Makefile have in common."""
