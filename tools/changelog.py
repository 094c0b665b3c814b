"""Whether CHANGELOG.md and the version of the template fit each other."""

import re


def sections(changelog: str) -> list[tuple[str, str]]:
    """The titles and texts of a changelog."""
    parts = re.split(r"^## (.+)\n", changelog, flags=re.M)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def problems(changelog: str, version: str) -> list[str]:
    """What does not fit the version of the template."""
    found = []
    titles = [title for title, _ in sections(changelog)]
    released = [title for title in titles if title != "Unreleased"]
    if version.endswith(".dev0"):
        if titles[0] != "Unreleased":
            found.append(f"{version} needs a section Unreleased at the top")
    elif not re.fullmatch(rf"{re.escape(version)} \(\d{{4}}-\d\d-\d\d\)", titles[0]):
        found.append(f"the first section is {titles[0]}, the version {version}")
    if version.removesuffix(".dev0") in [title.split()[0] for title in released[1:]]:
        found.append(f"{version} has been released")
    for title, text in sections(changelog):
        if "**Existing projects:**" not in text:
            found.append(f"{title} does not say what it asks of existing projects")
    return found
