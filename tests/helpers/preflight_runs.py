"""How the tests run the preflight where the crates do not matter: asking cargo takes seconds."""

from collections.abc import Callable

Preflight = Callable[..., tuple[int, str]]

URL = "https://github.com/ada/fast-doubles"
WITHOUT_CRATES = """
import sys

sys.path.insert(0, "release/tools")
import preflight

preflight.problems_of_the_locks = preflight.problems_of_the_licenses = lambda *_: []
preflight.main()
"""
