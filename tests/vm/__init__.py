"""End to end in a virtual machine: a real kernel, emulated devices, unmodified programs."""
