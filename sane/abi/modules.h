/* What the Cython modules that are linked into boot call of each other. */
#ifndef PYSANE_MODULES_H
#define PYSANE_MODULES_H

#include <Python.h>

#include "gate.h"

/* structs.pyx */
PyObject *pysane_device_list(PyObject *devices, const SANE_Device ***array);
void pysane_parameters(PyObject *parameters, SANE_Parameters *out);
PyObject *pysane_descriptors(PyObject *options);
const struct pysane_options *pysane_options_of(PyObject *table);
int pysane_redeclare(PyObject *table, PyObject *options);
int pysane_descriptor_update(PyObject *table, PyObject *options, SANE_Int index);

/* direct.pyx */
SANE_Status pysane_direct_control(struct pysane_handle *h, SANE_Int index, SANE_Action action,
                                  void *value, SANE_Int *info);

/* cancel.pyx */
PyObject *pysane_new_cancel(struct pysane_handle *h);

/* lent.pyx */
PyObject *pysane_new_lent(void);
PyObject *pysane_lend(PyObject *lender, unsigned char *data, Py_ssize_t size);
int pysane_is_lent(PyObject *lender);
void pysane_take_back(PyObject *lender);

/* handle.pyx */
PyObject *pysane_new_handle(struct pysane_handle *h);
int pysane_attach(PyObject *abi_handle, PyObject *handle);

#endif
