"""JupyterLab on the session's practice Slurm, and a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.lab import BUNDLE, FLAGS, SLOW_MS, Lab
from tests.faults.conftest import cluster  # noqa: F401 a fixture

SHOTS = Path(os.environ.get("JUPYTER_HPC_TEST_SHOTS") or "build/screenshots")


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    missing = "chromium: apt-get install chromium" if not found else ""
    if not (BUNDLE / "static").exists():
        missing = "the sidebar's bundle: make labextension"
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"not here: {missing}")
    return str(found)


@pytest.fixture(scope="session")
def lab(chromium: str, cluster: Path) -> Iterator[Lab]:  # noqa: F811
    base = cluster / "lab"
    base.mkdir()
    found = Lab.start(base)
    yield found
    found.stop()


@pytest.fixture(scope="session")
def bare(chromium: str, cluster: Path) -> Iterator[Lab]:  # noqa: F811
    """JupyterLab without our extension: widgets are all there is."""
    base = cluster / "bare"
    base.mkdir()
    found = Lab.start(base, has_extension=False)
    yield found
    found.stop()


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(SLOW_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def shots() -> Path:
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS
