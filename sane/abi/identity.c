/* Which library this is: compiled once for each, with BACKEND and VERSION from setup.py. */
#include "abi.h"

/* Also the mark by which our own dll recognises a library of ours, and leaves it alone. */
const char pysane_shim[] = BACKEND;
const SANE_Int pysane_version = VERSION;
