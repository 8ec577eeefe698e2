# cython: language_level=3
"""Python values as the C structures of the standard, in memory that keeps its address.

A frontend keeps pointers into descriptors and lists until close (c-abi-and-dll 1.7), so whatever
was ever shown stays in memory with its table; what is shown again has the address that it had.
It knows options, parameters and device lists; it knows neither handles nor threads.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize

from ..sane_h cimport *
from .gate cimport *

from ..errors import DeviceIOError
from ..option import Range

# Of all that one table has shown. A scanner's options take some 100 KB; a server that describes
# them anew for ever must not fill the memory of the program.
MOST_BYTES = 16 << 20


cdef class Table:
    """Memory that a frontend may point to, as long as the table lives."""

    cdef dict kept  # what was shown, by its content
    cdef list arrays
    cdef Py_ssize_t size
    cdef pysane_options options  # where they are, if these are options

    def __cinit__(self):
        self.kept = {}
        self.arrays = []

    cdef int charge(self, Py_ssize_t size) except -1:
        if self.size + size > MOST_BYTES:
            raise DeviceIOError(f"more than {MOST_BYTES} bytes were described in one session")
        self.size += size
        return 0

    cdef void *allot(self, Py_ssize_t size) except NULL:
        """Return new zeroed memory."""
        self.charge(size)
        array = bytearray(size + 1)  # not an empty one, which has no memory of its own
        self.arrays.append(array)
        return PyByteArray_AS_STRING(array)

    cdef const char *keep(self, bytes content) except NULL:
        """Return the address of *content*, which a NUL follows."""
        kept = self.kept.get(content)
        if kept is None:
            self.charge(len(content))
            kept = self.kept[content] = content
        return PyBytes_AS_STRING(<bytes>kept)

    cdef const char *text(self, text) except NULL:
        return self.keep(text.encode("utf-8", "surrogateescape"))


cdef public object pysane_device_list(devices, const SANE_Device ***array):
    """Store the NULL-terminated array of *devices*, a sequence of DeviceInfo; return its table."""
    cdef Py_ssize_t count = len(devices), i
    cdef Table table = Table()
    cdef const SANE_Device **result
    cdef SANE_Device *entries
    result = <const SANE_Device **>table.allot((count + 1) * sizeof(void *))
    entries = <SANE_Device *>table.allot(count * sizeof(SANE_Device))
    for i in range(count):
        entries[i].name = table.text(devices[i].name)
        entries[i].vendor = table.text(devices[i].vendor)
        entries[i].model = table.text(devices[i].model)
        entries[i].type = table.text(devices[i].type)
        result[i] = &entries[i]
    array[0] = result
    return table


cdef public void pysane_parameters(parameters, SANE_Parameters *out) except *:
    """Store *parameters* (sane.param.Parameters); all or nothing."""
    cdef SANE_Parameters result
    result.format = parameters.format
    result.last_frame = bool(parameters.last_frame)
    result.bytes_per_line = parameters.bytes_per_line
    result.pixels_per_line = parameters.pixels_per_line
    result.lines = parameters.lines
    result.depth = parameters.depth
    out[0] = result


cdef public object pysane_descriptors(options):
    """Return a table with the descriptors of *options* (sane.values.Options)."""
    cdef Table table = Table()
    cdef SANE_Int index
    pysane_redeclare(table, options)
    for index in range(table.options.count):
        pysane_descriptor_update(table, options, index)
    return table


cdef public const pysane_options *pysane_options_of(object table) noexcept:
    """Return where the descriptors of *table* are; they may be elsewhere after a redeclaration."""
    return &(<Table>table).options


cdef public int pysane_redeclare(object descriptors, options) except -1:
    """Store the fixed fields of all *options*, which a remote device may declare anew.

    Descriptors stay where they are; if their number changed, the old ones stay as they are. When
    there is no room for the new texts, all is as it was.
    """
    cdef Table table = descriptors
    cdef Py_ssize_t count = len(options), i
    cdef SANE_Option_Descriptor *d
    cdef int *numbers
    for option in options.declared:
        for text in (option.name, option.title, option.desc):
            table.text(text)
    if count != table.options.count:
        d = <SANE_Option_Descriptor *>table.allot(count * sizeof(SANE_Option_Descriptor))
        numbers = <int *>table.allot(2 * count * sizeof(int))
        table.options.descriptors, table.options.count = d, <SANE_Int>count
        table.options.offsets, table.options.reloads = numbers, numbers + count
    numbers = <int *>table.options.offsets
    for i, option in enumerate(options.declared):
        d = &table.options.descriptors[i]
        d.name = table.text(option.name)
        d.title = table.text(option.title)
        d.desc = table.text(option.desc)
        d.type = option.type
        d.unit = option.unit
        d.size = option.size
        numbers[i] = option.offset
        numbers[count + i] = option.reloads
    return 0


cdef public int pysane_descriptor_update(
    object descriptors, options, SANE_Int index
) except -1:
    """Renew what may change of one descriptor: capabilities and constraint."""
    cdef Table table = descriptors
    cdef SANE_Option_Descriptor *d = &table.options.descriptors[index]
    constraint = options.constraints[index]
    d.cap = options.caps[index]
    if constraint is None:
        d.constraint_type = SANE_CONSTRAINT_NONE
        d.constraint.range = NULL
    elif isinstance(constraint, Range):
        d.constraint.range = <const SANE_Range *>words_of(
            table, (constraint.min, constraint.max, constraint.quant)
        )
        d.constraint_type = SANE_CONSTRAINT_RANGE
    elif isinstance(constraint[0], str):
        d.constraint.string_list = strings_of(table, constraint)
        d.constraint_type = SANE_CONSTRAINT_STRING_LIST
    else:
        d.constraint.word_list = words_of(table, (len(constraint), *constraint))
        d.constraint_type = SANE_CONSTRAINT_WORD_LIST
    return 0


cdef const SANE_Word *words_of(Table table, words) except NULL:
    cdef bytes content = PyBytes_FromStringAndSize(NULL, len(words) * sizeof(SANE_Word))
    cdef SANE_Word *place = <SANE_Word *>PyBytes_AS_STRING(content)
    for word in words:
        place[0] = word
        place += 1
    return <const SANE_Word *>table.keep(content)


cdef const SANE_String_Const *strings_of(Table table, texts) except NULL:
    cdef bytes content = PyBytes_FromStringAndSize(NULL, (len(texts) + 1) * sizeof(void *))
    cdef SANE_String_Const *place = <SANE_String_Const *>PyBytes_AS_STRING(content)
    for text in texts:
        place[0] = table.text(text)
        place += 1
    place[0] = NULL
    return <const SANE_String_Const *>table.keep(content)
