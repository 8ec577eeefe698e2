/* Stands for libusb-1.0.so.0: one interface, which one process at a time can claim.
 *
 * SANE_TEST_DRIVER: a kernel driver holds it, for ever.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define BUSY -6

int
libusb_claim_interface(void *device, int number)
{
  int fd = open(getenv("SANE_TEST_LOCK"), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

  (void)device;
  (void)number;
  if (fd < 0)
    return BUSY;
  close(fd);
  return 0;
}

int
libusb_release_interface(void *device, int number)
{
  (void)device;
  (void)number;
  return unlink(getenv("SANE_TEST_LOCK"));
}

int
libusb_kernel_driver_active(void *device, int number)
{
  (void)device;
  (void)number;
  return getenv("SANE_TEST_DRIVER") != NULL;
}
