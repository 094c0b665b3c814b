"""Builds the site: `nox -s docs`. Warnings are errors, so a link that leads nowhere is one."""

import shutil
import sys

from sphinx.cmd.build import main as sphinx_build

from tools.site.pages import BUILT_SITE, DOCS, PROJECT_PAGE, BrokenLink, llms_txt, write_pages
from tools.site.project_page import project_page


def main() -> int:
    """Write the pages and build the site of them; return the exit status."""
    pages, doctrees = BUILT_SITE.with_name("pages"), BUILT_SITE.with_name("doctrees")
    for folder in (pages, BUILT_SITE):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        write_pages(pages)
        front_page = llms_txt()
    except BrokenLink as error:
        print(error, file=sys.stderr)
        return 1
    (pages / PROJECT_PAGE).write_text(project_page(), "utf-8", newline="\n")
    options = ("--quiet", "--nitpicky", "--fail-on-warning", "--keep-going", "--builder=html")
    places = (f"--conf-dir={DOCS}", f"--doctree-dir={doctrees}", str(pages), str(BUILT_SITE))
    status: int = sphinx_build([*options, *places])
    (BUILT_SITE / "llms.txt").write_text(front_page, "utf-8", newline="\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
