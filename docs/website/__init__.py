"""Makes the documentation site of what lies in docs/ and in the code: `make docs`."""
