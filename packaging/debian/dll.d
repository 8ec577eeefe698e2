# PySANE's drivers for the distribution's libsane; PySANE's own libsane.so.1 skips this line.
pysane
