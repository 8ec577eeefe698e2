"""PySANE's own backends, one module each."""
