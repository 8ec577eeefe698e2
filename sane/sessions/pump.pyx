# cython: language_level=3
"""Calls a compiled backend's reader (sane/reader.pxd) from Python, without the GIL while it reads.

This is Cython because the reader is a C function behind a capsule; it exists only where backends
are compiled too. It knows one call; frames and connections are its caller's business.
"""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_GetPointer

from ..reader cimport pysane_reader


def fill(capsule, view):
    """Read once into *view*, writable bytes; return status and number of bytes.

    Only the status EOF may come with bytes as GOOD does: the last of the frame.
    """
    cdef pysane_reader *reader
    cdef Py_buffer buffer
    cdef Py_ssize_t n = 0
    cdef int status
    reader = <pysane_reader *>PyCapsule_GetPointer(capsule, "pysane.reader")
    PyObject_GetBuffer(view, &buffer, PyBUF_WRITABLE)
    try:
        with nogil:
            status = reader.read(reader.ctx, <unsigned char *>buffer.buf, buffer.len, &n)
        if not 0 <= n <= buffer.len:
            raise ValueError(f"the reader gave {n} bytes for {buffer.len}")
    finally:
        PyBuffer_Release(&buffer)
    return status, n
