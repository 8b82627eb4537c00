"""The report: one HTML page without any other file, and a Markdown summary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path

from demo.chapter import Chapter, Settings
from demo.chapters import STORY

STYLE = """
:root { color-scheme: light; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1.5rem; color: #1f2328; background: #fff;
       font: 16px/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.9rem; margin: 3rem 0 .2rem; } h2 { margin-top: 3rem; border-bottom: 2px solid #2f6fb0; }
h3 { margin: 1.8rem 0 .4rem; font-size: 1.05rem; }
.question { font-size: 1.15rem; color: #2f6fb0; margin: .6rem 0 1rem; }
pre { background: #f4f6f8; padding: .9rem 1.1rem; border-radius: 6px; overflow-x: auto; font-size: .88rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .88rem; margin: .4rem 0; }
th, td { padding: .22rem .65rem; text-align: right; border-bottom: 1px solid #e3e7eb; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { border-bottom: 2px solid #1f2328; }
.note, figcaption { color: #59636e; font-size: .88rem; margin: .3rem 0; }
figure { margin: 1.2rem 0; } img { max-width: 100%; height: auto; display: block; }
nav p { margin: .6rem 0 0; } nav ul { margin: 0; }
@media (max-width: 40rem) { body { padding: 0 .8rem; }
  figure { overflow-x: auto; } img { width: 44rem; max-width: none; } }
"""
MODES = {
    "quick": "Smoke test with tiny settings: the numbers mean nothing.",
    "default": "Small grid; <code>nox -s demo -- --full</code> runs the whole experiment.",
    "full": "The whole experiment.",
}


def write_report(chapters: Mapping[str, Chapter], settings: Settings, path: Path) -> None:
    """Write the page; ``chapters`` by name."""
    parts = {part: [name for name in names if name in chapters] for part, names in STORY.items()}
    parts = {part: names for part, names in parts.items() if names}
    links = "\n".join(
        f"<p><b>{part}</b></p><ul>"
        + "".join(f'<li><a href="#{name}">{escape(chapters[name].title)}</a></li>' for name in names)
        + "</ul>"
        for part, names in parts.items()
    )
    body = "\n".join(
        f"<h1>{part}</h1>\n" + "\n".join(_chapter(name, chapters[name]) for name in names)
        for part, names in parts.items()
    )
    path.write_text(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>priorkit demo</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>\n'
        f"<h1>priorkit on real data</h1>\n<p>{MODES[settings.mode]}</p>\n<nav>{links}</nav>\n{body}\n</body></html>\n"
    )


def summary(chapter: Chapter, command: str) -> str:
    """Return the tables and findings in Markdown."""
    tables = [f"**{table.caption}**\n\n{table.markdown}" for table in chapter.tables]
    findings = "\n".join(f"- {finding}" for finding in chapter.findings)
    return "\n\n".join([f"# {chapter.title}", f"Made by `{command}`.", chapter.data, *tables, findings]) + "\n"


def _chapter(name: str, chapter: Chapter) -> str:
    tables = "\n".join(f"<h3>{escape(table.caption)}</h3>\n{_table(table.markdown)}" for table in chapter.tables)
    pictures = "\n".join(
        f'<figure><img src="data:image/png;base64,{picture.png}" alt="{escape(picture.caption)}">'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
        for picture in chapter.pictures
    )
    findings = "".join(f"<li>{escape(finding)}</li>" for finding in chapter.findings)
    return f"""<section id="{name}"><h2>{escape(chapter.title)}</h2>
<p class="question">{escape(chapter.question)}</p>
<h3>The code</h3><pre>{escape(chapter.code.strip())}</pre>
<h3>The data</h3><p>{escape(chapter.data)}</p>
<h3>What the thesis found</h3><p>{escape(chapter.thesis)}</p>
<h3>What we found</h3><ul>{findings}</ul>
{pictures}
{tables}
</section>"""


def _table(markdown: str) -> str:
    """Turn a Markdown table, and the lines that follow it, into HTML."""
    lines = markdown.splitlines()
    header, _, *rows = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    head = "".join(f"<th>{_cell(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    notes = "".join(f'<p class="note">{_cell(line)}</p>' for line in lines if line and not line.startswith("|"))
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>{notes}'


def _cell(text: str) -> str:
    return re.sub(r"(\*+)(.+?)\1", r"<b>\2</b>", escape(text.strip()))
