%module swig_rust
/* The same library through SWIG. Without this typemap SWIG would ask Python for a pointer and a
   length; with it, a Python caller gives bytes alone. */
%{
#include <stddef.h>
#include "doubles.h"
%}
%typemap(in) (const unsigned char *text, size_t length)
{
    char *data;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize($input, &data, &length) < 0)
        SWIG_fail;
    $1 = (unsigned char *)data;
    $2 = (size_t)length;
}
%include "doubles.h"
