"""The command ``wheretosubmit``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ._core import Parser, value_error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; bad input is one line on standard error and exit code 2."""
    parser = Parser(prog="wheretosubmit", description="Where to submit this paper, and which words say so?")
    commands = parser.add_subparsers(required=True)

    training = commands.add_parser("train", help="learn from papers whose venues are known")
    training.set_defaults(run=_train)
    training.add_argument("papers", help=".parquet, .csv or .jsonl file with a column per field and one for the venue")
    training.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the model")
    training.add_argument("--fields", nargs="+", default=["title", "abstract", "keywords"], metavar="NAME")
    training.add_argument("--label", default="venue", metavar="NAME", help="column with the venue")
    training.add_argument("--test", type=float, default=0.1, metavar="SHARE", help="papers kept for a test, 0 for none")
    training.add_argument("--embedding", choices=["learned", "word2vec"], default="learned")
    training.add_argument("--epochs", type=int, default=15, help="passes over the papers at most")
    training.add_argument("--seed", type=int, default=0)
    training.add_argument("--device", default="cpu")

    evaluation = commands.add_parser("evaluate", help="compare rankings with the venues that papers appeared at")
    evaluation.set_defaults(run=_evaluate)
    evaluation.add_argument("papers", help="as for train")
    evaluation.add_argument("--json", action="store_true")

    recommendation = commands.add_parser("recommend", help="rank venues for one paper")
    recommendation.set_defaults(run=_recommend)
    for field in ("title", "abstract", "keywords"):
        recommendation.add_argument(f"--{field}", metavar="TEXT")
    recommendation.add_argument("--field", nargs=2, action="append", default=[], metavar=("NAME", "TEXT"))
    recommendation.add_argument("-k", type=int, default=5, help="number of venues")
    recommendation.add_argument("--explain", action="store_true", help="show the words behind the best venue")
    recommendation.add_argument("--venue", metavar="NAME", help="show the words behind this venue instead")
    recommendation.add_argument("--json", action="store_true")

    service = commands.add_parser("serve", help="start the web page and the JSON API")
    service.set_defaults(run=_serve)
    service.add_argument("--host", default="127.0.0.1")
    service.add_argument("--port", type=int, default=8000)
    service.add_argument("--max-characters", type=int, default=20_000, help="longest text of a field")
    service.add_argument("--max-in-flight", type=int, default=256, help="requests at a time")
    service.add_argument("--timeout", type=float, default=30.0, help="seconds until a request is given up")

    for command in (evaluation, recommendation, service):
        command.add_argument("--model", type=Path, required=True, metavar="DIR", help="folder that train wrote")
    return parser.run(arguments)


def _train(options: argparse.Namespace) -> None:
    from ._papers import read_papers
    from ._recommender import VenueRecommender
    from ._split import stratified_split

    if not 0 <= options.test < 1:
        raise value_error("--test", "a share from 0 to below 1", options.test)
    recommender = VenueRecommender(
        fields=options.fields,
        label=options.label,
        embedding=options.embedding,
        epochs=options.epochs,
        seed=options.seed,
        device=options.device,
    )
    papers = read_papers(options.papers, recommender.fields, recommender.label)
    checkpoint = options.out / "training.safetensors"
    if not options.test:
        recommender.fit(papers, checkpoint=checkpoint)
    else:
        rows, test = stratified_split(papers.venues, (1 - options.test, options.test), seed=options.seed)
        result = recommender.fit(papers.take(rows), checkpoint=checkpoint).evaluate(papers.take(test))
        sys.stdout.write(f"{len(test)} test papers, {len(recommender.venues_)} venues\n{result}\n")
    recommender.save(options.out)
    checkpoint.unlink(missing_ok=True)


def _evaluate(options: argparse.Namespace) -> None:
    from ._recommender import VenueRecommender

    result = VenueRecommender.load(options.model).evaluate(options.papers)
    sys.stdout.write((json.dumps(result.to_dict()) if options.json else str(result)) + "\n")


def _recommend(options: argparse.Namespace) -> None:
    from ._recommender import VenueRecommender

    recommender = VenueRecommender.load(options.model)
    shortcuts = {field: getattr(options, field) for field in ("title", "abstract", "keywords")}
    texts = {field: text for field, text in shortcuts.items() if text is not None} | dict(options.field)
    venues = recommender.recommend(k=options.k, **texts)
    explanation = None
    if options.explain or options.venue:
        (explanation,) = recommender.explain(venues=[options.venue or venues[0][0]], **texts)
    if options.json:
        document: dict[str, Any] = {"venues": [{"venue": venue, "score": score} for venue, score in venues]}
        if explanation:
            document["explained"] = {"venue": explanation.venue, "score": explanation.score, "gap": explanation.gap}
            document["words"] = [{"word": word, "score": score} for word, score in explanation.words()]
        sys.stdout.write(json.dumps(document) + "\n")
        return
    for venue, score in venues:
        sys.stdout.write(f"{score:7.1%}  {venue}\n")
    if explanation:
        sys.stdout.write(f"\nwords behind {explanation.venue}; completeness gap {explanation.gap:+.3f}\n")
        for field, highlight in explanation.highlights.items():
            if highlight.text.strip():
                sys.stdout.write(f"\n{field}: {highlight.to_ansi()}\n")


def _serve(options: argparse.Namespace) -> None:
    from ._recommender import VenueRecommender
    from .web import serve

    recommender = VenueRecommender.load(options.model)
    sys.stdout.write(f"http://{options.host}:{options.port} (API: /docs); stop with Ctrl+C\n")
    sys.stdout.flush()
    serve(
        recommender,
        host=options.host,
        port=options.port,
        max_characters=options.max_characters,
        max_in_flight=options.max_in_flight,
        timeout=options.timeout,
    )
