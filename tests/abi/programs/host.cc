// A C++ host: exceptions pass around our calls, threads and static objects use them.
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

#include <sane/sane.h>

namespace {

struct Error : std::runtime_error {
  explicit Error(SANE_Status status) : std::runtime_error(sane_strstatus(status)) {}
};

void check(SANE_Status status)
{
  if (status != SANE_STATUS_GOOD)
    throw Error(status);
}

class Scanner {
public:
  explicit Scanner(const char *name) { check(sane_open(name, &handle)); }
  ~Scanner() { sane_close(handle); }

  std::vector<SANE_Byte> scan(std::size_t limit)
  {
    std::vector<SANE_Byte> image;
    SANE_Byte data[4096];
    SANE_Int length;
    SANE_Status status;

    check(sane_start(handle));
    while ((status = sane_read(handle, data, sizeof data, &length)) == SANE_STATUS_GOOD) {
      image.insert(image.end(), data, data + length);
      if (image.size() > limit)
        throw std::length_error("enough");
    }
    if (status != SANE_STATUS_EOF)
      throw Error(status);
    return image;
  }

private:
  SANE_Handle handle = nullptr;
};

// Its destructor runs after main, beside our own clean-up.
struct Library {
  Library() { check(sane_init(nullptr, nullptr)); }
  ~Library() { sane_exit(); }
} library;

void password(SANE_String_Const, SANE_Char *, SANE_Char *) {}

}  // namespace

int main()
{
  std::size_t expected = 0;
  int caught = 0;

  check(sane_init(nullptr, password));
  for (int i = 0; i < 10; i++) {
    try {
      Scanner scanner("test:0");
      expected = scanner.scan(~std::size_t(0)).size();
      scanner.scan(1000); // throws in mid-scan: the destructor closes
    } catch (const std::length_error &) {
      caught++;
    }
    try {
      Scanner("test:7");
    } catch (const Error &error) {
      caught += std::strcmp(error.what(), "Invalid argument") == 0;
    }
  }
  std::size_t got = 0;
  std::thread([&] { got = Scanner("test:1").scan(~std::size_t(0)).size(); }).join();
  static Scanner left("test:0");
  std::printf("%d %d\n", caught, got == expected && got > 0);
  return 0;
}
