"""The built site in Chromium: `nox -s docs -- --browser`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import BrowserContext

from tools.site.browser import SCHEMES, WIDTHS, chromium, faults, opened
from tools.site.pages import BUILT_SITE


@pytest.fixture(scope="module", params=SCHEMES)
def scheme(request: pytest.FixtureRequest) -> Literal["light", "dark"]:
    chosen: Literal["light", "dark"] = request.param
    return chosen


@pytest.fixture(scope="module", params=WIDTHS)
def browser(
    request: pytest.FixtureRequest, scheme: Literal["light", "dark"]
) -> Iterator[BrowserContext]:
    assert chromium(), "Chromium is missing (on Debian and Ubuntu: apt install chromium)"
    with opened(scheme, request.param) as browser:
        yield browser


def test_every_page_fits_and_nothing_fails(browser: BrowserContext) -> None:
    pages = sorted(BUILT_SITE.rglob("*.html"))
    assert len(pages) > 40
    assert [fault for page in pages for fault in faults(browser, page)] == []


PAGE = "<!doctype html><article>{}</article>"
PLANTED = {
    "<p style='width: 2000px'>wide</p>": "too wide: <p",
    "<pre style='display: inline-block'>" + "x" * 400 + "</pre>": "too wide: <pre",
    "<script>nothing.here</script>": "nothing is not defined",
    "<script>console.error('printed')</script>": "printed",
    "<img src='none.svg'>": "not found: file:",
}
HARMLESS = "<div style='overflow-x: auto'><p style='width: 2000px'>wide</p></div>"


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_is_found(planted: str, browser: BrowserContext, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE.format(planted), "utf-8")
    assert PLANTED[planted] in "\n".join(faults(browser, page))


def test_what_scrolls_in_its_own_box_is_no_fault(browser: BrowserContext, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE.format(HARMLESS), "utf-8")
    assert faults(browser, page) == []
