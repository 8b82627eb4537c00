"""Run chapters, print their tables and write the report."""

from __future__ import annotations

import argparse
import time
from importlib import import_module
from pathlib import Path

import torch

from demo.chapter import RESULTS, Chapter, Settings
from demo.chapters import STORY
from demo.report import summary, write_report

CHAPTERS = [name for names in STORY.values() for name in names]


def main() -> None:
    """Parse the arguments and run the chosen chapters."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--only", action="append", metavar="CHAPTER", help=f"one or more of {', '.join(CHAPTERS)}")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", dest="mode", action="store_const", const="quick", help="tiny settings, some seconds")
    mode.add_argument(
        "--full", dest="mode", action="store_const", const="full", help="all data, 10 seeds; demo/results"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "report.html", help="where the report goes")
    arguments = parser.parse_args()
    chosen = [
        name for names in arguments.only or CHAPTERS for name in (names.split(",") if arguments.only else [names])
    ]
    if unknown := sorted({*chosen} - {*CHAPTERS}):
        parser.error(f"--only: expected some of {', '.join(CHAPTERS)}, got {', '.join(unknown)}")

    # The networks are so small that a second thread waits more than it works.
    torch.set_num_threads(1)
    settings = Settings(arguments.mode or "default")
    chapters: dict[str, Chapter] = {}
    for number, name in enumerate(chosen, 1):
        print(f"[{number}/{len(chosen)}] {name}", flush=True)
        start = time.perf_counter()
        chapter = chapters[name] = import_module(f"demo.chapters.{name}").run(settings)
        for table in chapter.tables:
            print(f"\n{table.caption}\n\n{table.markdown}")
        print("", *(f"- {finding}" for finding in chapter.findings), sep="\n")
        print(f"\n  {name}: {time.perf_counter() - start:.0f} s\n", flush=True)
        if settings.mode == "full":
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{name}.md").write_text(summary(chapter, f"nox -s demo -- --full --only {name}"))
    write_report(chapters, settings, arguments.out)
    print(f"Report: {arguments.out}")


if __name__ == "__main__":
    main()
