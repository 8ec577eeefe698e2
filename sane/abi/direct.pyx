# cython: language_level=3
"""GET and SET of options that no code of the driver takes part in: without Python, without GIL.

It knows descriptors, the bytes of the values and the kernels of sane.constraint; which options
may be handled here is decided by sane.values.Options.direct_access.
"""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.string cimport memcpy, strlen, strncmp

from .gate cimport *
from ..sane_h cimport *

from .. import constraint as _constraint

ctypedef long long (*fit_range_t)(long long, long long, long long, long long) noexcept nogil
ctypedef long long (*distance_t)(long long, long long) noexcept nogil

cdef fit_range_t fit_range
cdef distance_t distance


cdef void *kernel(str name) except NULL:
    """Return the C function behind a compiled function of sane.constraint."""
    capsule = _constraint.__pyx_capi__[name]
    cdef object signature = repr(capsule).split('"')[1]
    return PyCapsule_GetPointer(capsule, signature.encode())


fit_range = <fit_range_t>kernel("fit_range")
distance = <distance_t>kernel("distance")


cdef int constrain(SANE_Option_Descriptor *d, SANE_Word *value) noexcept nogil:
    """Fit one word to the constraint; return the info bits, -1 if it is not acceptable."""
    cdef SANE_Word given = value[0], i, best
    cdef long long nearest
    if d.constraint_type == SANE_CONSTRAINT_RANGE:
        value[0] = <SANE_Word>fit_range(
            given, d.constraint.range.min, d.constraint.range.max, d.constraint.range.quant
        )
    elif d.constraint_type == SANE_CONSTRAINT_WORD_LIST:
        best = d.constraint.word_list[1]
        nearest = distance(given, best)
        for i in range(2, d.constraint.word_list[0] + 1):
            if distance(given, d.constraint.word_list[i]) < nearest:
                best = d.constraint.word_list[i]
                nearest = distance(given, best)
        value[0] = best
    elif d.type == SANE_TYPE_BOOL and given != 0 and given != 1:
        return -1
    return SANE_INFO_INEXACT if value[0] != given else 0


cdef inline char lower(char c) noexcept nogil:
    return c + 32 if c'A' <= c <= c'Z' else c


cdef const char *match(SANE_Option_Descriptor *d, const char *text) noexcept nogil:
    """Return the entry that *text* means, as sane.constraint.match_string does; NULL if none."""
    cdef const SANE_String_Const *entry = d.constraint.string_list
    cdef const char *partial = NULL
    cdef int partials = 0, i
    while entry[0] != NULL:
        i = 0
        while text[i] != 0 and lower(text[i]) == lower(entry[0][i]):
            i += 1
        if text[i] == 0 and entry[0][i] == 0:
            return entry[0]
        if text[i] == 0:
            partial = entry[0]
            partials += 1
        entry += 1
    return partial if partials == 1 else NULL


cdef int set_string(
    SANE_Option_Descriptor *d, char *value, char *stored, int reloads
) noexcept nogil:
    """Store a text that fits; return the info bits, -1 if it does not."""
    cdef size_t size = strlen(value) + 1
    cdef const char *chosen = value
    if d.constraint_type == SANE_CONSTRAINT_STRING_LIST:
        chosen = match(d, value)
        if chosen == NULL:
            return -1
    if strlen(chosen) + 1 == size and strncmp(chosen, value, size) != 0:
        memcpy(value, chosen, size)  # other case, same length
    if strncmp(stored, chosen, d.size - 1) == 0:
        return 0
    size = min(strlen(chosen), <size_t>d.size - 1)
    memcpy(stored, chosen, size)
    stored[size] = 0
    return reloads


cdef public SANE_Status pysane_direct_control(
    pysane_handle *h, SANE_Int index, SANE_Action action, void *value, SANE_Int *info
) noexcept nogil:
    """GET and SET of an option that no code of the driver takes part in."""
    cdef SANE_Option_Descriptor *d = &h.options.descriptors[index]
    cdef unsigned char *stored = h.values + h.options.offsets[index]
    cdef SANE_Word given, fitted
    cdef int bits = 0
    if action == SANE_ACTION_GET_VALUE:
        memcpy(value, stored, strlen(<char *>stored) + 1 if d.type == SANE_TYPE_STRING else d.size)
    elif d.type == SANE_TYPE_STRING:
        bits = set_string(d, <char *>value, <char *>stored, h.options.reloads[index])
        if bits < 0:
            return SANE_STATUS_INVAL
    else:
        memcpy(&given, value, sizeof(SANE_Word))
        fitted = given
        bits = constrain(d, &fitted)
        if bits < 0:
            return SANE_STATUS_INVAL
        if fitted != given:
            memcpy(value, &fitted, sizeof(SANE_Word))
        if fitted != (<SANE_Word *>stored)[0]:
            (<SANE_Word *>stored)[0] = fitted
            bits |= h.options.reloads[index]
    if info != NULL:
        info[0] = bits
    return SANE_STATUS_GOOD
