"""make bench: our libsane.so.1 beside the distribution's, on the same test device."""
