"""The web service: a page, a JSON API and its documentation (extra ``web``)."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from ._checks import check_type, positive
from ._core import import_extra, value_error
from ._guard import Guard
from ._recommender import VenueRecommender

if TYPE_CHECKING:
    import fastapi
    import pydantic
    import uvicorn
    from fastapi import exceptions, responses
else:
    fastapi = import_extra("fastapi", package="wheretosubmit", extra="web")
    exceptions = import_extra("fastapi.exceptions", package="wheretosubmit", extra="web")
    responses = import_extra("fastapi.responses", package="wheretosubmit", extra="web")
    pydantic = import_extra("pydantic", package="wheretosubmit", extra="web")
    uvicorn = import_extra("uvicorn", package="wheretosubmit", extra="web")

__all__ = ["create_app", "serve"]

Result = TypeVar("Result")
_MOST_CHARACTERS = 10**8
_PAGE = files(__package__) / "page"
_FILES = {
    "/": ("index.html", "text/html"),
    "/docs": ("docs.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/docs.js": ("docs.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}


class Venue(pydantic.BaseModel):
    """A venue and its probability."""

    venue: str
    score: float


class Recommendation(pydantic.BaseModel):
    """The best venues, the best first."""

    venues: list[Venue]


class Words(pydantic.BaseModel):
    """A text, where its words begin and end (in UTF-16 units, as in JavaScript), and what each contributes."""

    text: str
    spans: list[tuple[int, int]]
    scores: list[float]


class Reasons(Venue):
    """Why a venue is recommended: the words of each field, the full scale of the scores, the error of the sum."""

    gap: float
    scale: float
    fields: dict[str, Words]


class Model(pydantic.BaseModel):
    """What the service recommends."""

    fields: list[str]
    venues: list[str]
    max_characters: int


def create_app(
    recommender: VenueRecommender,
    *,
    max_characters: int = 20_000,
    max_in_flight: int = 256,
    timeout: float = 30.0,
    workers: int | None = None,
) -> fastapi.FastAPI:
    """Return the service as an ASGI application.

    No text that it gets is stored, logged or echoed in an error.

    Args:
        recommender: a fitted recommender.
        max_characters: the longest text of a field; longer ones are refused (422), larger bodies too (413).
        max_in_flight: requests at a time, running and waiting; more are refused (503).
        timeout: seconds until a request is given up (504).
        workers: papers scored at a time, by default one per processor.

    Raises:
        ValueError: the recommender is not fitted, or a limit is not positive.
    """
    check_type("recommender", recommender, VenueRecommender, "a VenueRecommender")
    recommender._check_fitted()
    if positive("max_characters", max_characters) > _MOST_CHARACTERS:
        raise value_error("max_characters", f"at most {_MOST_CHARACTERS}", max_characters)
    positive("max_in_flight", max_in_flight)
    positive("workers", 1 if workers is None else workers)
    check_type("timeout", timeout, (int, float), "a positive number of seconds")
    if not 0 < timeout < math.inf:
        raise value_error("timeout", "a positive number of seconds", timeout)
    app = fastapi.FastAPI(
        title="Where to submit?",
        summary="Recommends venues for a paper and says which words speak for them.",
        version=version("wheretosubmit"),
        docs_url=None,
        redoc_url=None,
    )
    # A character takes at most 12 bytes in JSON (two \\u escapes).
    app.add_middleware(
        Guard,
        max_bytes=12 * max_characters * len(recommender.fields) + 4096,
        max_in_flight=max_in_flight,
        timeout=timeout,
    )
    app.add_exception_handler(exceptions.RequestValidationError, _explain_invalid)
    pool = ThreadPoolExecutor(workers or os.cpu_count(), thread_name_prefix="wheretosubmit")

    async def run(work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work)
        except ValueError as error:
            raise fastapi.HTTPException(422, str(error)) from None

    texts: Any = {field: (str, pydantic.Field("", max_length=max_characters)) for field in recommender.fields}
    strict = pydantic.ConfigDict(extra="forbid")
    most = len(recommender.venues_)
    Paper = pydantic.create_model(  # noqa: N806 - it is a class
        "Paper", __config__=strict, k=(int, pydantic.Field(5, ge=1, le=most)), **texts
    )
    Question = pydantic.create_model("Question", __config__=strict, venue=(str, ...), **texts)  # noqa: N806

    async def recommend(paper: Any) -> Recommendation:
        return await run(lambda: _recommend(recommender, paper.model_dump()))

    async def explain(question: Any) -> Reasons:
        return await run(lambda: _explain(recommender, question.model_dump()))

    # The models depend on the recommender's fields, so the annotations cannot be written above.
    recommend.__annotations__["paper"] = Paper
    recommend.__annotations__["return"] = Recommendation
    explain.__annotations__["question"] = Question
    explain.__annotations__["return"] = Reasons
    app.post("/api/recommend", summary="The best venues for a paper")(recommend)
    app.post("/api/explain", summary="The words that speak for and against a venue")(explain)

    @app.get("/api/model", summary="Fields, venues and limits")
    async def model() -> Model:
        return Model(fields=[*recommender.fields], venues=recommender.venues_, max_characters=max_characters)

    for path, (name, kind) in _FILES.items():
        app.get(path, include_in_schema=False)(_sender((_PAGE / name).read_bytes(), kind))
    return app


def serve(recommender: VenueRecommender, *, host: str = "127.0.0.1", port: int = 8000, **limits: Any) -> None:
    """Serve until interrupted; ``limits`` are the options of ``create_app``."""
    # One thread per paper: several papers at a time use the processors better than one paper that is split.
    torch.set_num_threads(1)
    app = create_app(recommender, **limits)
    uvicorn.run(
        app, host=host, port=port, access_log=False, log_level="warning", timeout_keep_alive=10, server_header=False
    )


def _sender(content: bytes, kind: str) -> Callable[[], responses.Response]:
    """Return an endpoint without parameters: FastAPI would read defaults of its own from the query."""

    def send() -> responses.Response:
        return responses.Response(content, media_type=kind)

    return send


def _recommend(recommender: VenueRecommender, paper: dict[str, Any]) -> Recommendation:
    return Recommendation(venues=[Venue(venue=venue, score=score) for venue, score in recommender.recommend(**paper)])


def _explain(recommender: VenueRecommender, question: dict[str, Any]) -> Reasons:
    venue = question.pop("venue")
    (explanation,) = recommender.explain(venues=[venue], **question)
    highlights = explanation.highlights
    return Reasons(
        venue=venue,
        score=explanation.score,
        gap=explanation.gap,
        scale=max(highlight.scale for highlight in highlights.values()),
        fields={
            field: Words(text=one.text, spans=_utf16(one.text, one.spans), scores=one.scores)
            for field, one in highlights.items()
        },
    )


def _utf16(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Count places as JavaScript does: a character beyond U+FFFF is two."""
    place, units, converted = 0, 0, []
    for start, end in spans:
        first = units + len(text[place:start].encode("utf-16-le")) // 2
        units = first + len(text[start:end].encode("utf-16-le")) // 2
        place = end
        converted.append((first, units))
    return converted


async def _explain_invalid(_: fastapi.Request, error: Exception) -> responses.JSONResponse:
    """Say what is wrong with a request, without the request."""
    assert isinstance(error, exceptions.RequestValidationError)
    faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:5]]
    return responses.JSONResponse({"detail": "; ".join(faults)[:1000]}, 422)
