/* fakeusb: a libusb-1.0.so.0 with one device and no bus, for measuring what lies above libusb.
 *
 * Put its folder first in LD_LIBRARY_PATH. The device has bulk endpoints 0x81 and 0x02 in one
 * vendor-specific interface.
 *
 *   FAKEUSB_IDS=04b8:011e   its ids, as in the sysfs that goes with it (bench/usb.py makes one)
 *   FAKEUSB_PEER=/path      a Unix socket: an emulated scanner answers (bench/usb_peer.py)
 *
 * Without FAKEUSB_PEER it sends bytes without end as fast as memory goes, and takes all.
 *
 * To the peer, for each transfer: u32 id, u32 kind, u32 length, and the data of an OUT transfer; of
 * a control transfer all that is in its buffer. kind is the endpoint; 0x100: cancel that id; 0x200
 * with the endpoint: clear its halt; 0x300: reset. From it, in any order, for transfers only: u32
 * id, u32 status (of libusb transfers), u32 length, and the data of an IN transfer. All in the byte
 * order of the machine.
 *
 * What is here is what PySANE, pyusb and the original's backends call. Source: the public API
 * documentation of libusb 1.0.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define API __attribute__((visibility("default")))
#define PATTERN (1 << 22)
#define MOST_TRANSFERS 64
#define SETUP_BYTES 8

enum { CANCEL = 0x100, CLEAR_HALT = 0x200, RESET = 0x300 };

enum { SUCCESS = 0, ERROR_IO = -1, NO_DEVICE = -4, NOT_FOUND = -5, TIMEOUT = -7, OVERFLOW_ = -8 };
enum { PIPE = -9, NO_MEM = -11, NOT_SUPPORTED = -12 };
enum { COMPLETED, ERROR, TIMED_OUT, CANCELLED, STALLED, GONE, OVERFLOWED };

struct device_descriptor {
  uint8_t length, type;
  uint16_t usb;
  uint8_t class, subclass, protocol, packet;
  uint16_t vendor, product, release;
  uint8_t manufacturer, name, serial, configurations;
};

struct endpoint_descriptor {
  uint8_t length, type, address, attributes;
  uint16_t packet;
  uint8_t interval, refresh, synch;
  const unsigned char *extra;
  int extra_length;
};

struct interface_descriptor {
  uint8_t length, type, number, alternate, endpoints, class, subclass, protocol, text;
  const struct endpoint_descriptor *endpoint;
  const unsigned char *extra;
  int extra_length;
};

struct interface {
  const struct interface_descriptor *settings;
  int count;
};

struct config_descriptor {
  uint8_t length, type;
  uint16_t total;
  uint8_t interfaces, value, text, attributes, power;
  const struct interface *interface;
  const unsigned char *extra;
  int extra_length;
};

struct transfer {
  struct handle *handle;
  uint8_t flags;
  unsigned char endpoint, type;
  unsigned int timeout;
  int status, length, actual;
  void (*callback)(struct transfer *);
  void *user_data;
  unsigned char *buffer;
  int packets;
};

struct context {
  int event; /* readable while a transfer waits to be completed */
  struct handle *handle;
  pthread_mutex_t lock;
};

struct slot {
  struct transfer *transfer; /* NULL: free */
  uint32_t id;
  int ready;
};

struct handle {
  struct context *context;
  int peer; /* -1: none */
  uint32_t last_id, position;
  struct slot slots[MOST_TRANSFERS];
};

static struct endpoint_descriptor endpoints[2] = {
  { 7, 5, 0x81, 2, 512, 0, 0, 0, NULL, 0 },
  { 7, 5, 0x02, 2, 512, 0, 0, 0, NULL, 0 },
};
static struct interface_descriptor setting = { 9, 4, 0, 0, 2, 255, 255, 255, 0, endpoints, NULL, 0 };
static struct interface interfaces[1] = { { &setting, 1 } };
static struct config_descriptor config = { 9, 2, 32, 1, 1, 0, 0xC0, 1, interfaces, NULL, 0 };
static struct context *shared; /* the one that a NULL context means */
static unsigned char *pattern;

static struct context *
of(struct context *context)
{
  return context ? context : shared;
}

/* -- Start and end ------------------------------------------------------------------------- */

API int
libusb_init(struct context **context)
{
  struct context *made = calloc(1, sizeof *made);

  if (!made)
    return NO_MEM;
  made->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  pthread_mutex_init(&made->lock, NULL);
  if (!pattern) {
    pattern = malloc(PATTERN);
    for (int i = 0; pattern && i < PATTERN; i++)
      pattern[i] = (unsigned char)(i ^ (i >> 8));
  }
  if (context)
    *context = made;
  if (!context || !shared)
    shared = made;
  return SUCCESS;
}

API void
libusb_exit(struct context *context)
{
  context = of(context);
  if (context == shared)
    shared = NULL;
  if (context) {
    close(context->event);
    free(context);
  }
}

API int
libusb_set_option(struct context *context, int option, ...)
{
  (void)context, (void)option;
  return SUCCESS;
}

API void
libusb_set_debug(struct context *context, int level)
{
  (void)context, (void)level;
}

API const char *
libusb_strerror(int code)
{
  return code == TIMEOUT ? "timed out" : code == PIPE ? "stall" : code ? "failed" : "success";
}

/* -- The device ---------------------------------------------------------------------------- */

API ssize_t
libusb_get_device_list(struct context *context, void ***list)
{
  *list = calloc(2, sizeof **list);
  if (!*list)
    return NO_MEM;
  (*list)[0] = of(context); /* a device is nothing but the context that it was found in */
  return 1;
}

API void
libusb_free_device_list(void **list, int unref)
{
  (void)unref;
  free(list);
}

API void *
libusb_ref_device(void *device)
{
  return device;
}

API void
libusb_unref_device(void *device)
{
  (void)device;
}

API uint8_t
libusb_get_bus_number(void *device)
{
  (void)device;
  return 1;
}

API uint8_t
libusb_get_device_address(void *device)
{
  (void)device;
  return 2;
}

API int
libusb_get_device_descriptor(void *device, struct device_descriptor *d)
{
  unsigned int vendor = 0x1209, product = 0x0001;
  const char *ids = getenv("FAKEUSB_IDS");

  (void)device;
  if (ids)
    sscanf(ids, "%x:%x", &vendor, &product);
  *d = (struct device_descriptor){ 18,     1,       0x200, 0, 0, 0, 64, (uint16_t)vendor,
                                   (uint16_t)product, 0x100, 0, 0, 0, 1 };
  return SUCCESS;
}

API int
libusb_get_config_descriptor(void *device, uint8_t index, struct config_descriptor **found)
{
  (void)device;
  *found = &config;
  return index ? NOT_FOUND : SUCCESS;
}

API void
libusb_free_config_descriptor(struct config_descriptor *descriptor)
{
  (void)descriptor;
}

static int
connect_peer(const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int size = 1 << 20, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  close(fd);
  return -1;
}

API int
libusb_open(void *device, struct handle **opened)
{
  const char *peer = getenv("FAKEUSB_PEER");
  struct handle *handle = calloc(1, sizeof *handle);

  if (!handle)
    return NO_MEM;
  handle->context = device;
  handle->peer = peer ? connect_peer(peer) : -1;
  if (peer && handle->peer < 0) {
    free(handle);
    return NO_DEVICE;
  }
  handle->context->handle = handle;
  *opened = handle;
  return SUCCESS;
}

API void
libusb_close(struct handle *handle)
{
  if (handle->context->handle == handle)
    handle->context->handle = NULL;
  if (handle->peer >= 0)
    close(handle->peer);
  free(handle);
}

API int
libusb_get_configuration(struct handle *handle, int *value)
{
  (void)handle;
  *value = 1;
  return SUCCESS;
}

#define NOTHING_TO_DO(name, ...)                                                                   \
  API int name(struct handle *handle, ##__VA_ARGS__)                                               \
  {                                                                                                \
    (void)handle;                                                                                  \
    return SUCCESS;                                                                                \
  }

#pragma GCC diagnostic ignored "-Wunused-parameter"
NOTHING_TO_DO(libusb_set_configuration, int value)
NOTHING_TO_DO(libusb_claim_interface, int number)
NOTHING_TO_DO(libusb_release_interface, int number)
NOTHING_TO_DO(libusb_set_interface_alt_setting, int number, int setting)
NOTHING_TO_DO(libusb_kernel_driver_active, int number)
NOTHING_TO_DO(libusb_attach_kernel_driver, int number)
NOTHING_TO_DO(libusb_detach_kernel_driver, int number)
NOTHING_TO_DO(libusb_get_string_descriptor_ascii, uint8_t index, unsigned char *data, int length)
#pragma GCC diagnostic warning "-Wunused-parameter"

API void *
libusb_get_parent(void *device)
{
  (void)device;
  return NULL;
}

API int
libusb_get_max_iso_packet_size(void *device, unsigned char endpoint)
{
  (void)device, (void)endpoint;
  return NOT_SUPPORTED;
}

/* -- Transfers ----------------------------------------------------------------------------- */

API struct transfer *
libusb_alloc_transfer(int packets)
{
  return calloc(1, sizeof(struct transfer) + (size_t)packets * 12);
}

API void
libusb_free_transfer(struct transfer *transfer)
{
  free(transfer);
}

static int
send_all(int fd, const void *data, size_t size)
{
  const char *next = data;

  while (size) {
    ssize_t n = send(fd, next, size, MSG_NOSIGNAL);
    if (n <= 0)
      return -1;
    next += n;
    size -= (size_t)n;
  }
  return 0;
}

static int
receive_all(int fd, void *data, size_t size)
{
  while (size) {
    ssize_t n = recv(fd, data, size, MSG_WAITALL);
    if (n <= 0)
      return -1;
    data = (char *)data + n;
    size -= (size_t)n;
  }
  return 0;
}

static int
send_request(struct handle *handle, uint32_t id, uint32_t kind, struct transfer *transfer)
{
  uint32_t length = transfer ? (uint32_t)transfer->length : 0;
  uint32_t head[3] = { id, kind, length };

  if (send_all(handle->peer, head, sizeof head))
    return -1;
  return transfer && !(kind & 0x80) ? send_all(handle->peer, transfer->buffer, length) : 0;
}

API int
libusb_clear_halt(struct handle *handle, unsigned char endpoint)
{
  return handle->peer >= 0 && send_request(handle, 0, CLEAR_HALT | endpoint, NULL) ? NO_DEVICE : 0;
}

API int
libusb_reset_device(struct handle *handle)
{
  return handle->peer >= 0 && send_request(handle, 0, RESET, NULL) ? NO_DEVICE : 0;
}

API int
libusb_submit_transfer(struct transfer *transfer)
{
  struct handle *handle = transfer->handle;
  struct slot *slot = handle->slots;

  if (transfer->type == 0 && handle->peer < 0)
    return NOT_SUPPORTED;
  while (slot < handle->slots + MOST_TRANSFERS && slot->transfer)
    slot++;
  if (slot == handle->slots + MOST_TRANSFERS)
    return NO_MEM;
  *slot = (struct slot){ transfer, ++handle->last_id, handle->peer < 0 };
  transfer->actual = 0;
  if (slot->ready)
    eventfd_write(handle->context->event, 1);
  else if (send_request(handle, slot->id, transfer->endpoint, transfer)) {
    slot->transfer = NULL;
    return NO_DEVICE;
  }
  return SUCCESS;
}

API int
libusb_cancel_transfer(struct transfer *transfer)
{
  struct handle *handle = transfer->handle;

  for (struct slot *slot = handle->slots; slot < handle->slots + MOST_TRANSFERS; slot++)
    if (slot->transfer == transfer) {
      if (handle->peer >= 0)
        return send_request(handle, slot->id, CANCEL, NULL) ? NO_DEVICE : SUCCESS;
      return SUCCESS; /* it is complete already, as far as anybody can tell */
    }
  return NOT_FOUND;
}

/* Complete the transfers that the fake answers itself, the oldest first. */
static void
complete_own(struct handle *handle)
{
  for (;;) {
    struct slot *oldest = NULL;
    struct transfer *transfer;

    for (struct slot *slot = handle->slots; slot < handle->slots + MOST_TRANSFERS; slot++)
      if (slot->transfer && (!oldest || slot->id < oldest->id))
        oldest = slot;
    if (!oldest)
      return;
    transfer = oldest->transfer;
    if (transfer->endpoint & 0x80)
      for (int done = 0; done < transfer->length;) {
        int n = PATTERN - (int)handle->position;
        n = n < transfer->length - done ? n : transfer->length - done;
        memcpy(transfer->buffer + done, pattern + handle->position, (size_t)n);
        handle->position = (handle->position + (uint32_t)n) % PATTERN;
        done += n;
      }
    transfer->actual = transfer->length;
    transfer->status = COMPLETED;
    oldest->transfer = NULL;
    transfer->callback(transfer);
  }
}

/* Take one answer of the peer; a peer that is gone unplugs the device. */
static void
take_answer(struct handle *handle)
{
  uint32_t head[3];
  struct slot *slot = handle->slots;
  int is_gone = receive_all(handle->peer, head, sizeof head);

  for (; slot < handle->slots + MOST_TRANSFERS; slot++) {
    struct transfer *transfer = slot->transfer;

    if (!transfer || (!is_gone && slot->id != head[0]))
      continue;
    transfer->status = is_gone ? GONE : (int)head[1];
    if (!is_gone && head[2] <= (uint32_t)transfer->length) {
      int skip = transfer->type ? 0 : SETUP_BYTES;
      int is_in = (transfer->type ? transfer->endpoint : transfer->buffer[0]) & 0x80;

      transfer->actual = (int)head[2];
      if (is_in && receive_all(handle->peer, transfer->buffer + skip, head[2]))
        transfer->status = GONE;
    }
    slot->transfer = NULL;
    transfer->callback(transfer);
    if (!is_gone)
      return;
  }
}

API int
libusb_handle_events_timeout_completed(struct context *context, struct timeval *time, int *done)
{
  struct pollfd fds[2];
  struct handle *handle;
  eventfd_t count;
  int milliseconds = (int)(time->tv_sec * 1000 + time->tv_usec / 1000);

  context = of(context);
  pthread_mutex_lock(&context->lock);
  handle = context->handle;
  if (handle && !(done && *done)) {
    fds[0] = (struct pollfd){ .fd = context->event, .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = handle->peer, .events = POLLIN };
    poll(fds, 2, milliseconds);
    if (fds[0].revents) {
      eventfd_read(context->event, &count);
      complete_own(handle);
    }
    while (handle->peer >= 0 && fds[1].revents) {
      take_answer(handle);
      fds[1].revents = 0;
      poll(fds + 1, 1, 0);
      if (fds[1].revents & POLLHUP && !(fds[1].revents & POLLIN))
        break;
    }
  }
  pthread_mutex_unlock(&context->lock);
  return SUCCESS;
}

API int
libusb_handle_events(struct context *context)
{
  struct timeval time = { 60, 0 };

  return libusb_handle_events_timeout_completed(context, &time, NULL);
}

API struct pollfd **
libusb_get_pollfds(struct context *context)
{
  struct {
    struct pollfd *list[3], fds[2];
  } *made = calloc(1, sizeof *made);

  context = of(context);
  if (!made)
    return NULL;
  made->fds[0] = (struct pollfd){ .fd = context->event, .events = POLLIN };
  made->list[0] = &made->fds[0];
  if (context->handle && context->handle->peer >= 0) {
    made->fds[1] = (struct pollfd){ .fd = context->handle->peer, .events = POLLIN };
    made->list[1] = &made->fds[1];
  }
  return made->list;
}

API void
libusb_free_pollfds(struct pollfd **list)
{
  free(list);
}

static void
set_done(struct transfer *transfer)
{
  *(int *)transfer->user_data = 1;
}

static int
synchronous(struct handle *handle, int type, unsigned char endpoint, unsigned char *data,
            int length, int *actual, unsigned int timeout_ms)
{
  static const int codes[] = { 0, ERROR_IO, TIMEOUT, TIMEOUT, PIPE, NO_DEVICE, OVERFLOW_ };
  struct transfer transfer = { .handle = handle, .endpoint = endpoint,
                               .type = (unsigned char)type, .length = length,
                               .buffer = data, .callback = set_done };
  struct timespec now;
  struct timeval wait;
  double deadline;
  int done = 0, is_cancelled = 0, code;

  transfer.user_data = &done;
  code = libusb_submit_transfer(&transfer);
  if (code)
    return code;
  clock_gettime(CLOCK_MONOTONIC, &now);
  deadline = (double)now.tv_sec + (double)now.tv_nsec / 1e9 + (timeout_ms ? timeout_ms / 1e3 : 1e9);
  while (!done) {
    double left;

    clock_gettime(CLOCK_MONOTONIC, &now);
    left = deadline - (double)now.tv_sec - (double)now.tv_nsec / 1e9;
    if (left <= 0 && !is_cancelled) {
      is_cancelled = 1;
      libusb_cancel_transfer(&transfer);
    }
    left = left < 0 || left > 60 ? 60 : left;
    wait.tv_sec = (time_t)left;
    wait.tv_usec = (suseconds_t)((left - (double)wait.tv_sec) * 1e6);
    libusb_handle_events_timeout_completed(handle->context, &wait, &done);
  }
  if (actual)
    *actual = transfer.actual;
  return codes[transfer.status];
}

API int
libusb_bulk_transfer(struct handle *handle, unsigned char endpoint, unsigned char *data, int length,
                     int *actual, unsigned int timeout_ms)
{
  return synchronous(handle, 2, endpoint, data, length, actual, timeout_ms);
}

API int
libusb_interrupt_transfer(struct handle *handle, unsigned char endpoint, unsigned char *data,
                          int length, int *actual, unsigned int timeout_ms)
{
  return synchronous(handle, 3, endpoint, data, length, actual, timeout_ms);
}

API int
libusb_control_transfer(struct handle *handle, uint8_t type, uint8_t request, uint16_t value,
                        uint16_t index, unsigned char *data, uint16_t length, unsigned int timeout)
{
  unsigned char buffer[SETUP_BYTES + 0xFFFF] = { type, request, value & 0xFF, value >> 8,
                                                 index & 0xFF, index >> 8, length & 0xFF,
                                                 length >> 8 };
  int actual, code;

  memcpy(buffer + SETUP_BYTES, data, type & 0x80 ? 0 : length);
  code = synchronous(handle, 0, 0, buffer, SETUP_BYTES + length, &actual, timeout);
  if (code)
    return code;
  memcpy(data, buffer + SETUP_BYTES, type & 0x80 ? (size_t)actual : 0);
  return actual;
}
