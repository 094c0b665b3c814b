/* Plain C, as a careful author would write it: METH_O, no copy, each width of CPython's
   strings read where it lies. It must be compiled for each version of Python. The counter's type
   matters to gcc: with Py_ssize_t this loop takes twice as long, with unsigned int (too narrow
   for 4 GB of text) half as long. */

#include <Python.h>

#define COUNT(name, unit)                                                   \
    static size_t name(const unit *text, size_t length)                     \
    {                                                                       \
        size_t doubles = 0;                                                 \
        for (size_t i = 1; i < length; i++)                                 \
            doubles += text[i - 1] == text[i];                              \
        return doubles;                                                     \
    }

COUNT(count_1, Py_UCS1)
COUNT(count_2, Py_UCS2)
COUNT(count_4, Py_UCS4)

static PyObject *count_doubles(PyObject *module, PyObject *text)
{
    if (PyBytes_Check(text))
        return PyLong_FromSize_t(
            count_1((const Py_UCS1 *)PyBytes_AS_STRING(text), (size_t)PyBytes_GET_SIZE(text)));
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "count_doubles() takes str or bytes");
        return NULL;
    }
    size_t length = (size_t)PyUnicode_GET_LENGTH(text);
    switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
        return PyLong_FromSize_t(count_1(PyUnicode_1BYTE_DATA(text), length));
    case PyUnicode_2BYTE_KIND:
        return PyLong_FromSize_t(count_2(PyUnicode_2BYTE_DATA(text), length));
    default:
        return PyLong_FromSize_t(count_4(PyUnicode_4BYTE_DATA(text), length));
    }
}

static PyMethodDef methods[] = {{"count_doubles", count_doubles, METH_O, NULL}, {NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "plain_c", NULL, 0, methods};

PyMODINIT_FUNC PyInit_plain_c(void)
{
    return PyModule_Create(&module);
}
