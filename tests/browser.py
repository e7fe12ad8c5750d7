"""Debian's Chromium, driven without any other tool: pages as it renders them, and what axe finds in them."""

import json
import re
import shutil
import subprocess
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@cache
def browser() -> str:
    """The command of the browser; skips where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if not found:
        pytest.skip("no Chromium (make test installs Debian's where it may)")
    return found


def violations(page: Path, folder: Path, width: int) -> list[str]:
    """What axe finds wrong with a page at a width in pixels: rule and place of each."""
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    # All that folds is opened, so that it is looked at too; the answer is written into the page.
    script = f"""
    document.querySelectorAll('details').forEach(one => one.open = true);
    axe.run(document, {{runOnly: {json.dumps(RULES)}}}).then(found => {{
      const told = found.violations.flatMap(rule => rule.nodes.map(node => rule.id + ' ' + node.target.join(' ')));
      const wide = document.documentElement.scrollWidth > window.innerWidth ? ['wider than the screen'] : [];
      const ran = found.passes.length > 10 ? [] : ['axe did not run'];
      document.body.innerHTML = '<pre id="axe"></pre>';
      document.getElementById('axe').textContent = JSON.stringify(told.concat(wide, ran));
    }});"""
    inner = folder / f"{page.stem}_axe.html"
    text = page.read_text(encoding="utf-8").replace(
        "</body>", f"<script>{axe}</script><script>{script}</script></body>"
    )
    inner.write_text(text, encoding="utf-8")
    command = [browser(), "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900"]
    command += ["--virtual-time-budget=20000", f"--user-data-dir={folder / 'profile'}", "--dump-dom", inner.as_uri()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    answer = re.search(r'<pre id="axe">(.*?)</pre>', result.stdout, re.DOTALL)
    if not answer:
        raise AssertionError(f"the browser gave no answer: {result.stderr[-500:]}")
    found: list[str] = json.loads(answer.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    return found
