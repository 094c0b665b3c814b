"""The types of the fixtures in tests/conftest.py that are functions."""

import subprocess
from collections.abc import Callable
from pathlib import Path

# Runs a command in a folder `cwd`, with more environment variables as keywords. Returns the
# process, what it printed in `stdout`. Where it fails, the test does, unless `check` is False.
Run = Callable[..., subprocess.CompletedProcess[str]]

# Renders the template with the answers that are given as keywords, the others are the defaults.
# Returns the folder of the project, a copy that is the caller's alone.
Render = Callable[..., Path]

# Does as Render does, into a git repository with one commit.
Repository = Callable[..., Path]

# Of the tests of pages: runs a line of a shell in a folder `cwd`, with this copy of the template in
# place of the one on its host. Returns the process, as Run does.
Follow = Run

# Cross-compiles a wheel with maturin for a Python, such as "3.15t", that need not be installed.
# Takes more arguments of maturin, and the `floor`. Returns the wheel.
CrossWheel = Callable[..., Path]
