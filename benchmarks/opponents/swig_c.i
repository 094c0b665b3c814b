%module swig_c
/* The article's C: byte by byte to the end of the string, called through SWIG. */
%inline %{
size_t count_doubles(const char *text)
{
    size_t doubles = 0;
    for (; *text != '\0'; text++)
        doubles += text[0] == text[1];
    return doubles;
}
%}
