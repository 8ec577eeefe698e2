"""The C ABI: what stands behind the symbols of libsane.so.1."""
