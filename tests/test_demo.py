"""The demo runs on its smallest settings and its page stands alone."""

import re
import subprocess
import sys

from tools.workspace import ROOT


def test_quick_demo_writes_a_self_contained_page(tmp_path):
    page = tmp_path / "report.html"
    command = [sys.executable, "-W", "error", "-m", "demo", "--quick", "--out", str(page)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    html = page.read_text()
    chapters = [file.stem for file in (ROOT / "demo" / "chapters").glob("[a-z]*.py")]
    assert chapters
    for chapter in chapters:
        assert f'id="{chapter}"' in html
    assert 'src="data:image/png;base64,' in html
    assert re.findall(r'(?:src|href)="(?!data:|#|https://)', html) == []
    assert re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="https?:', html) == []
