"""JupyterLab on the session's practice Slurm, and a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize, sync_playwright

from tests.browser.lab import BUNDLE, FLAGS, SLOW_MS, Lab
from tests.faults.conftest import cluster  # noqa: F401 a fixture

VIEWPORT: ViewportSize = {"width": 1400, "height": 900}
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
    yield from _started(cluster / "lab")


@pytest.fixture(scope="session")
def bare(chromium: str, cluster: Path) -> Iterator[Lab]:  # noqa: F811
    """JupyterLab without our extension: widgets are all there is."""
    yield from _started(cluster / "bare", has_extension=False)


@pytest.fixture(scope="session")
def plain(chromium: str, cluster: Path) -> Iterator[Lab]:  # noqa: F811
    """JupyterLab with neither our extension nor that of ipywidgets."""
    yield from _started(cluster / "plain", has_extension=False, has_widgets=False)


@pytest.fixture(scope="session")
def notebook7(chromium: str, cluster: Path) -> Iterator[Lab]:  # noqa: F811
    yield from _started(cluster / "notebook7", module="notebook")


def _started(base: Path, **how: Any) -> Iterator[Lab]:
    base.mkdir()
    found = Lab.start(base, **how)
    yield found
    found.stop()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """What a job waits for; a test that failed leaves none that does."""
    yield tmp_path / "gate"
    (tmp_path / "gate").touch()


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(chromium: str, driver: Playwright) -> Iterator[Browser]:
    found = driver.chromium.launch(executable_path=chromium, args=FLAGS)
    yield found
    found.close()


@pytest.fixture(scope="session")
def profile(chromium: str, driver: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """One user's browser, which has JupyterLab compiled in its cache after the second page: a fifth of what a page costs."""
    context = driver.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"), executable_path=chromium, args=FLAGS, viewport=VIEWPORT
    )
    context.set_default_timeout(SLOW_MS)
    yield context
    context.close()


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    """A page in a browser that knows nothing of the test before."""
    page = profile.new_page()
    yield page
    devtools = profile.new_cdp_session(page)
    devtools.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
    for each in profile.pages[1:]:  # without one, it ends
        each.close()
    profile.clear_permissions()


@pytest.fixture
def shots() -> Path:
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS
