# How a compiled backend delivers bytes without the GIL: a capsule "pysane.reader" points to this.
# read may be called from any thread, by one at a time. It returns a SANE status (standard 4.2.7):
#   0 (GOOD): *n > 0 bytes were written to buf, at most max; *n == 0 only in non-blocking mode of a
#             driver with a descriptor of its own: nothing yet
#   5 (EOF):  *n bytes were written, and they were the last of the frame; *n may be 0
#   others:   the frame failed, *n is 0

ctypedef int (*pysane_read_fn)(
    void *ctx, unsigned char *buf, Py_ssize_t max, Py_ssize_t *n
) noexcept nogil

ctypedef struct pysane_reader:
    pysane_read_fn read
    void *ctx
