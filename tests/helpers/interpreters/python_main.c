/* Makes a plain `python` of cx_Freeze's executable, which would look for a frozen program.

   It is preloaded by name (DT_NEEDED), and stands before libc's function of this name: main() is
   replaced by Py_BytesMain(), which the executable exports. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

int __libc_start_main(main_function *given, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    (void)given;
    main_function *python = (main_function *)dlsym(RTLD_DEFAULT, "Py_BytesMain");
    start_function *start = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");
    if (python == NULL || start == NULL) {
        fputs("python_main.c: this executable exports no Py_BytesMain\n", stderr);
        abort();
    }
    return start(python, argc, argv, init, fini, rtld_fini, stack_end);
}
