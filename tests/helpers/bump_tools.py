"""The two tools that set a new version."""

TOOLS = ["bump2version", "bump-my-version"]
