"""How the tests run the gate, and on what."""

from collections.abc import Callable

from helpers.faults import LINUX

Refuse = Callable[..., str]

FIVE_WHEELS = f"{LINUX} abi3 cp314t cp315t\nmacosx_arm64 abi3\nwin_amd64 abi3\n"

# The gate, without the three tools that it starts: they take most of its time.
GATE_ALONE = """\
import sys
sys.path.insert(0, "release/tools")
import gate
gate.run_tools = lambda files: []
gate.main()
"""
