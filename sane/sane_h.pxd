# The C types of sane.h and abi.h, for the modules that speak C.

from libc.stdint cimport uint64_t

cdef extern from "sane/sane.h" nogil:
    ctypedef int SANE_Int
    ctypedef int SANE_Word
    ctypedef int SANE_Bool
    ctypedef unsigned char SANE_Byte
    ctypedef const char *SANE_String_Const
    ctypedef char *SANE_String
    ctypedef void *SANE_Handle
    ctypedef int SANE_Status
    ctypedef int SANE_Action
    ctypedef int SANE_Frame
    ctypedef int SANE_Value_Type
    ctypedef int SANE_Unit
    ctypedef int SANE_Constraint_Type
    ctypedef void (*SANE_Auth_Callback)(const char *resource, char *username, char *password)
    enum:
        SANE_STATUS_GOOD
        SANE_STATUS_UNSUPPORTED
        SANE_STATUS_CANCELLED
        SANE_STATUS_INVAL
        SANE_STATUS_EOF
        SANE_STATUS_IO_ERROR
        SANE_STATUS_NO_MEM
        SANE_STATUS_DEVICE_BUSY
        SANE_ACTION_GET_VALUE
        SANE_ACTION_SET_VALUE
        SANE_ACTION_SET_AUTO
        SANE_TYPE_BOOL
        SANE_TYPE_STRING
        SANE_TYPE_BUTTON
        SANE_INFO_INEXACT
        SANE_CONSTRAINT_NONE
        SANE_CONSTRAINT_RANGE
        SANE_CONSTRAINT_WORD_LIST
        SANE_CONSTRAINT_STRING_LIST
        SANE_MAX_USERNAME_LEN
        SANE_MAX_PASSWORD_LEN
    ctypedef struct SANE_Device:
        SANE_String_Const name
        SANE_String_Const vendor
        SANE_String_Const model
        SANE_String_Const type
    ctypedef struct SANE_Range:
        SANE_Word min
        SANE_Word max
        SANE_Word quant
    ctypedef union pysane_constraint:  # has no name in C
        const SANE_String_Const *string_list
        const SANE_Word *word_list
        const SANE_Range *range
    ctypedef struct SANE_Option_Descriptor:
        SANE_String_Const name
        SANE_String_Const title
        SANE_String_Const desc
        SANE_Value_Type type
        SANE_Unit unit
        SANE_Int size
        SANE_Int cap
        SANE_Constraint_Type constraint_type
        pysane_constraint constraint
    ctypedef struct SANE_Parameters:
        SANE_Frame format
        SANE_Bool last_frame
        SANE_Int bytes_per_line
        SANE_Int pixels_per_line
        SANE_Int lines
        SANE_Int depth


cdef extern from "abi.h" nogil:
    ctypedef struct pysane_device_ops "struct pysane_device_ops":
        void (*close)(SANE_Handle) noexcept nogil
        const SANE_Option_Descriptor *(*get_option_descriptor)(SANE_Handle, SANE_Int) noexcept nogil
        SANE_Status (*control_option)(
            SANE_Handle, SANE_Int, SANE_Action, void *, SANE_Int *
        ) noexcept nogil
        SANE_Status (*get_parameters)(SANE_Handle, SANE_Parameters *) noexcept nogil
        SANE_Status (*start)(SANE_Handle) noexcept nogil
        SANE_Status (*read)(SANE_Handle, SANE_Byte *, SANE_Int, SANE_Int *) noexcept nogil
        void (*cancel)(SANE_Handle) noexcept nogil
        SANE_Status (*set_io_mode)(SANE_Handle, SANE_Bool) noexcept nogil
        SANE_Status (*get_select_fd)(SANE_Handle, SANE_Int *) noexcept nogil
    ctypedef struct pysane_slot "struct pysane_slot":
        const pysane_device_ops *ops
        SANE_Handle inner
    ctypedef struct pysane_target "struct pysane_target":
        const pysane_device_ops *ops
        SANE_Handle inner
    ctypedef struct pysane_record "struct pysane_record":
        int cwd
        char *environment[1]
    ctypedef struct pysane_library "struct pysane_library"
    ctypedef struct pysane_library_ops "struct pysane_library_ops":
        SANE_Status (*get_devices)(
            pysane_library *, const SANE_Device ***, SANE_Bool
        ) noexcept nogil
        SANE_Status (*open)(pysane_library *, const char *, pysane_slot *) noexcept nogil
        void (*exit)(pysane_library *) noexcept nogil
        int (*inside)() noexcept nogil
        int (*lacks_python)() noexcept nogil
        void (*postpone)(
            void (*action)(pysane_library *) noexcept nogil, pysane_library *
        ) noexcept nogil
        int (*callback_enter)() noexcept nogil
        void (*callback_leave)(int depth) noexcept nogil
    ctypedef struct pysane_library "struct pysane_library":
        const char *backend
        SANE_Auth_Callback ask
        pysane_record *(*hold)(uint64_t *generation) noexcept nogil
        void (*release)(pysane_record *record) noexcept nogil
        int (*occupy)(
            uint64_t generation, pysane_slot *, const pysane_device_ops *, SANE_Handle inner
        ) noexcept nogil
        void *session
    SANE_Auth_Callback pysane_authorize(const pysane_library *library)
    uint64_t pysane_generation(const pysane_library *library)
    pysane_target pysane_find(SANE_Handle handle)
    SANE_Status pysane_init(SANE_Int *version, SANE_Auth_Callback authorize)
    void pysane_exit()
    SANE_Status pysane_get_devices(const SANE_Device ***device_list, SANE_Bool local_only)
    SANE_Status pysane_open(const char *name, SANE_Handle *handle)
    void pysane_close(SANE_Handle handle)
    const char *pysane_strstatus(SANE_Status status)
