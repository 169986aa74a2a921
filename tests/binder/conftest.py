"""The browser that visits."""

from tests.browser.conftest import browser, chromium, driver, shots  # noqa: F401 fixtures
