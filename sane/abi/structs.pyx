# cython: language_level=3
"""Python values as the C structures of the standard, in memory that keeps its address.

A frontend keeps pointers into descriptors and lists until close (c-abi-and-dll 1.7), so every
string and array that was ever shown stays allocated with its table: a new value gets new memory.
It knows options, parameters and device lists; it knows neither handles nor threads.
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from ..sane_h cimport (
    SANE_CONSTRAINT_NONE,
    SANE_CONSTRAINT_RANGE,
    SANE_CONSTRAINT_STRING_LIST,
    SANE_CONSTRAINT_WORD_LIST,
    SANE_Device,
    SANE_Int,
    SANE_Option_Descriptor,
    SANE_Parameters,
    SANE_Range,
    SANE_String_Const,
    SANE_Word,
)

from ..option import Range


# Blocks chained to the table that they belong to.
cdef struct Block:
    Block *next


cdef struct Memory:
    Block *blocks
    Py_ssize_t count
    SANE_Option_Descriptor *descriptors
    int *offsets
    int *reloads


cdef Memory *new_memory() except NULL:
    cdef Memory *memory = <Memory *>calloc(1, sizeof(Memory))
    if memory == NULL:
        raise MemoryError
    return memory


cdef void *allot(Memory *memory, size_t size) except NULL:
    """Return zeroed memory that lives as long as *memory*."""
    cdef Block *block = <Block *>calloc(1, sizeof(Block) + size)
    if block == NULL:
        raise MemoryError
    block.next = memory.blocks
    memory.blocks = block
    return block + 1


cdef public void pysane_memory_free(void *table) noexcept nogil:
    """Free a table and all that hangs on it; NULL is nothing."""
    cdef Memory *memory = <Memory *>table
    cdef Block *block
    if memory == NULL:
        return
    while memory.blocks != NULL:
        block = memory.blocks
        memory.blocks = block.next
        free(block)
    free(memory)


cdef const char *c_string(Memory *memory, text) except NULL:
    data = text.encode("utf-8", "surrogateescape")
    cdef Py_ssize_t size = len(data)
    cdef char *copy = <char *>allot(memory, size + 1)
    memcpy(copy, <const char *>data, size)
    return copy


cdef public void *pysane_device_list(devices, const SANE_Device ***array) except NULL:
    """Store the NULL-terminated array of *devices*, a sequence of DeviceInfo; return its table."""
    cdef Py_ssize_t count = len(devices), i
    cdef Memory *memory = new_memory()
    cdef const SANE_Device **result
    cdef SANE_Device *entries
    try:
        result = <const SANE_Device **>allot(memory, (count + 1) * sizeof(void *))
        entries = <SANE_Device *>allot(memory, count * sizeof(SANE_Device))
        for i in range(count):
            entries[i].name = c_string(memory, devices[i].name)
            entries[i].vendor = c_string(memory, devices[i].vendor)
            entries[i].model = c_string(memory, devices[i].model)
            entries[i].type = c_string(memory, devices[i].type)
            result[i] = &entries[i]
    except BaseException:
        pysane_memory_free(memory)
        raise
    array[0] = result
    return memory


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


cdef public void *pysane_descriptors(options, SANE_Option_Descriptor **array) except NULL:
    """Store the descriptors of *options* (sane.values.Options); return their table."""
    cdef Memory *memory = new_memory()
    cdef SANE_Int count = 0, index
    try:
        pysane_redeclare(memory, options, array, &count)
        for index in range(count):
            pysane_descriptor_update(memory, options, index)
    except BaseException:
        pysane_memory_free(memory)
        raise
    return memory


cdef public int pysane_redeclare(
    void *table, options, SANE_Option_Descriptor **array, SANE_Int *counted
) except -1:
    """Store the fixed fields of all *options*, which a remote device may declare anew.

    Descriptors stay where they are; if their number changed, the old ones stay as they are.
    """
    cdef Memory *memory = <Memory *>table
    cdef Py_ssize_t count = len(options), i
    cdef SANE_Option_Descriptor *d
    if count != memory.count:
        d = <SANE_Option_Descriptor *>allot(memory, count * sizeof(SANE_Option_Descriptor))
        memory.offsets = <int *>allot(memory, count * sizeof(int))
        memory.reloads = <int *>allot(memory, count * sizeof(int))
        memory.descriptors, memory.count = d, count
    for i, option in enumerate(options.declared):
        d = &memory.descriptors[i]
        set_text(memory, &d.name, option.name)
        set_text(memory, &d.title, option.title)
        set_text(memory, &d.desc, option.desc)
        d.type = option.type
        d.unit = option.unit
        d.size = option.size
        memory.offsets[i] = option.offset
        memory.reloads[i] = option.reloads
    counted[0] = min(counted[0], <SANE_Int>count)  # a look without the gate never sees too many
    array[0] = memory.descriptors
    counted[0] = <SANE_Int>count
    return 0


cdef int set_text(Memory *memory, SANE_String_Const *place, text) except -1:
    """Store *text*; the same text keeps its address."""
    data = text.encode("utf-8", "surrogateescape")
    if place[0] == NULL or <bytes>place[0] != data:
        place[0] = c_string(memory, text)
    return 0


cdef public int pysane_descriptor_update(void *table, options, SANE_Int index) except -1:
    """Renew what may change of one descriptor: capabilities and constraint."""
    cdef Memory *memory = <Memory *>table
    cdef SANE_Option_Descriptor *d = &memory.descriptors[index]
    constraint = options.constraints[index]
    d.cap = options.caps[index]
    if constraint is None:
        d.constraint_type = SANE_CONSTRAINT_NONE
        d.constraint.range = NULL
    elif isinstance(constraint, Range):
        set_range(memory, d, constraint)
    elif isinstance(constraint[0], str):
        set_strings(memory, d, constraint)
    else:
        set_words(memory, d, constraint)
    return 0


cdef int set_range(Memory *memory, SANE_Option_Descriptor *d, constraint) except -1:
    cdef SANE_Range *r
    cdef SANE_Word low = constraint.min, high = constraint.max, quant = constraint.quant
    if d.constraint_type == SANE_CONSTRAINT_RANGE:
        r = <SANE_Range *>d.constraint.range
        if r.min == low and r.max == high and r.quant == quant:
            return 0
    r = <SANE_Range *>allot(memory, sizeof(SANE_Range))
    r.min, r.max, r.quant = low, high, quant
    d.constraint.range = r
    d.constraint_type = SANE_CONSTRAINT_RANGE
    return 0


cdef int set_strings(Memory *memory, SANE_Option_Descriptor *d, constraint) except -1:
    cdef Py_ssize_t count = len(constraint), i
    cdef SANE_String_Const *texts
    if d.constraint_type == SANE_CONSTRAINT_STRING_LIST and same_strings(d, constraint):
        return 0
    texts = <SANE_String_Const *>allot(memory, (count + 1) * sizeof(void *))
    for i in range(count):
        texts[i] = c_string(memory, constraint[i])
    d.constraint.string_list = texts
    d.constraint_type = SANE_CONSTRAINT_STRING_LIST
    return 0


cdef bint same_strings(SANE_Option_Descriptor *d, constraint) except -1:
    cdef Py_ssize_t i = 0
    for text in constraint:
        if d.constraint.string_list[i] == NULL:
            return False
        if <bytes>d.constraint.string_list[i] != text.encode("utf-8", "surrogateescape"):
            return False
        i += 1
    return d.constraint.string_list[i] == NULL


cdef int set_words(Memory *memory, SANE_Option_Descriptor *d, constraint) except -1:
    cdef Py_ssize_t count = len(constraint), i
    cdef SANE_Word *words = <SANE_Word *>allot(memory, (count + 1) * sizeof(SANE_Word))
    words[0] = <SANE_Word>count
    for i in range(count):
        words[i + 1] = constraint[i]
    d.constraint.word_list = words
    d.constraint_type = SANE_CONSTRAINT_WORD_LIST
    return 0


cdef public const int *pysane_offsets(void *table) noexcept nogil:
    """Return where in the values each option's bytes begin."""
    return (<Memory *>table).offsets


cdef public const int *pysane_reloads(void *table) noexcept nogil:
    """Return the info bits that a change of each option reports."""
    return (<Memory *>table).reloads
