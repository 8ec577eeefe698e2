# What is used of libusb 1.0, declared here so that building needs no header of it, and poll.
# Source: libusb-1.0 API documentation, struct libusb_transfer and asynchronous device I/O.

from posix.time cimport timeval

cdef extern from "<poll.h>" nogil:
    struct pollfd:
        int fd
        short events
        short revents
    enum:
        POLLIN
    int poll(pollfd *fds, unsigned long count, int timeout_ms)


cdef enum:
    TYPE_CONTROL = 0
    TYPE_BULK = 2
    SETUP_BYTES = 8
    # enum libusb_transfer_status
    COMPLETED = 0
    FAILED = 1
    TIMED_OUT = 2
    CANCELLED = 3
    STALLED = 4
    ONLY_EMPTY = 7  # ours, behind those of libusb: a long run of transfers without data


cdef struct Transfer:  # struct libusb_transfer, without isochronous packets
    void *dev_handle
    unsigned char flags
    unsigned char endpoint
    unsigned char type
    unsigned int timeout
    int status
    int length
    int actual_length
    void (*callback)(Transfer *transfer) noexcept nogil
    void *user_data
    unsigned char *buffer
    int num_iso_packets


cdef struct Slot:  # a transfer, and whether it is on its way
    Transfer *transfer
    int submitted
    int done


cdef struct Library:
    void *context
    Transfer *(*alloc_transfer)(int) noexcept nogil
    void (*free_transfer)(Transfer *) noexcept nogil
    int (*submit_transfer)(Transfer *) noexcept nogil
    int (*cancel_transfer)(Transfer *) noexcept nogil
    int (*handle_events)(void *, timeval *, int *) noexcept nogil
    pollfd **(*get_pollfds)(void *) noexcept nogil  # struct libusb_pollfd begins like a pollfd
    void (*free_pollfds)(pollfd **) noexcept nogil


cdef struct Device:  # an open device, with what carries out transfers on it (transfers.pyx)
    Library lib
    void *handle
    int lost  # a transfer never came back: no event of this context is handled any more
    int (*submit)(
        Device *device, Slot *slot, int endpoint, int type, unsigned char *buffer, Py_ssize_t size
    ) noexcept nogil
    int (*wait)(Device *device, Slot *slot, long long deadline, int cancel_fd) noexcept nogil
    int (*take_back)(Device *device, Slot *slot) noexcept nogil
    int (*is_cancelled)(int cancel_fd) noexcept nogil
    long long (*deadline_after)(double seconds) noexcept nogil


cdef struct Bulk:  # bulk transfers for another module of this package
    void *owner
    int (*carry_out)(
        void *owner, int endpoint, unsigned char *buffer, Py_ssize_t size, double seconds,
        int cancel_fd, Py_ssize_t *n
    ) noexcept nogil
