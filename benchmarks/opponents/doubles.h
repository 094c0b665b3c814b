/* How many bytes equal the one before; -1 if the pointer is null or the code panicked. */
ptrdiff_t fast_doubles_count(const unsigned char *text, size_t length);
