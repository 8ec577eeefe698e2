"""For authors of drivers: emulated devices, and what tests need to run drivers against them."""
