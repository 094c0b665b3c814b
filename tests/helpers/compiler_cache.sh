#!/bin/sh
# In place of rustc: sccache. It would take the target folder for a part of what is compiled.
unset CARGO_TARGET_DIR
exec "$SCCACHE" "$@"
