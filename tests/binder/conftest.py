"""The browser that visits."""

from tests.browser.conftest import browser, chromium, shots  # noqa: F401 fixtures
