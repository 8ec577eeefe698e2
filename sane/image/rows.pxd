cimport cython


@cython.locals(i=Py_ssize_t, n=Py_ssize_t)
cpdef mean_from_rgb(const unsigned char[::1] rgb, unsigned char[::1] gray)
