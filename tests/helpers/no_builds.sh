#!/bin/sh
# In place of rustc, where `nox -s quick` runs the tests: it answers questions, and compiles nothing.
for word in "$@"; do
  case "$word" in
  -vV | --version | --print | --print=*) exec "$@" ;;
  esac
done
echo "A test without the mark 'builds' compiles: add the mark to its file, or do without." >&2
exit 1
