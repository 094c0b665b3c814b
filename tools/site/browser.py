"""Looks at pages in Chromium, as readers do: wide and narrow, light and dark."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import BrowserContext, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (400, 1400)

# What reaches beyond the right edge of the page, except for what scrolls in a box of its own.
OUTSIDE = """() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element) => element && element !== document.body &&
        (['auto', 'scroll', 'hidden'].includes(getComputedStyle(element).overflowX) ||
         scrolls(element.parentElement));
    const outside = [...document.querySelectorAll('article *')].filter((element) =>
        element.getBoundingClientRect().right > width + 1 && !scrolls(element.parentElement));
    const grown = document.documentElement.scrollWidth > width ? ['the page itself'] : [];
    return [...grown, ...outside.map((element) => element.outerHTML.slice(0, 80))];
}"""


def chromium() -> str | None:
    """The program that is installed here; None if there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def opened(scheme: Literal["light", "dark"], width: int) -> Iterator[BrowserContext]:
    """A browser with a colour scheme, and with windows of a width in pixels."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
        browser.close()


def faults(browser: BrowserContext, file: Path, picture: Path | None = None) -> list[str]:
    """What is wrong with a page: errors of the console, what is not found, what is too wide.

    Args:
        browser: What to open it in.
        file: The page.
        picture: Where to put a picture of the whole page, if anywhere.

    Returns:
        A line for each fault, with the name of the page.
    """
    found: list[str] = []
    page = browser.new_page()
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("requestfailed", lambda request: found.append(f"not found: {request.url}"))
    page.goto(file.as_uri())
    found += [f"too wide: {element}" for element in page.evaluate(OUTSIDE)]
    if picture:
        page.screenshot(path=picture, full_page=True)
    page.close()
    return [f"{file.name}: {fault}" for fault in found]
