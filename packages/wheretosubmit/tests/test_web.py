import asyncio
import json
import logging

import httpx
import pytest
from wheretosubmit import VenueRecommender
from wheretosubmit._guard import HEADERS, Guard
from wheretosubmit.web import create_app


@pytest.fixture(scope="module")
def client(recommender, serving):
    with serving(create_app(recommender, max_characters=200)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def test_recommends_what_the_recommender_does(client, recommender):
    paper = {"title": "robot gripper", "abstract": "grammar"}
    answer = client.post("/api/recommend", json={**paper, "k": 2})
    assert answer.status_code == 200
    expected = recommender.recommend(k=2, **paper)
    assert [(one["venue"], pytest.approx(one["score"], abs=1e-6)) for one in answer.json()["venues"]] == expected


def test_explains_as_the_recommender_does_and_counts_as_javascript_does(client, recommender):
    paper = {"title": "😀 robot <script>", "abstract": "grammar"}
    answer = client.post("/api/explain", json={**paper, "venue": "ICRA"}).json()
    (expected,) = recommender.explain(venues=["ICRA"], **paper)
    assert answer["score"] == pytest.approx(expected.score, abs=1e-6)
    assert answer["gap"] == pytest.approx(expected.gap, abs=1e-5)
    for field, words in answer["fields"].items():
        units = words["text"].encode("utf-16-le")
        shown = [units[2 * a : 2 * b].decode("utf-16-le") for a, b in words["spans"]]
        assert (words["text"], shown) == (paper[field], expected.highlights[field].tokens)
        assert words["scores"] == pytest.approx(expected.highlights[field].scores, abs=1e-6)
        assert answer["scale"] == pytest.approx(expected.highlights[field].scale, abs=1e-6)


def test_every_answer_has_the_security_headers_and_nothing_comes_from_elsewhere(client):
    paths = ["/", "/docs", "/page.js", "/docs.js", "/page.css", "/openapi.json", "/api/model", "/none"]
    for path in paths:
        answer = client.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "http://" not in answer.text.replace("http://www.w3.org", "")
        assert "https://" not in answer.text
        assert client.get(f"{path}?body=evil&content=evil&kind=evil").text == answer.text
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_openapi_describes_fields_and_limits(client, recommender):
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == {"/api/recommend", "/api/explain", "/api/model"}
    paper = document["components"]["schemas"]["Paper"]["properties"]
    assert set(paper) == {"title", "abstract", "k"}
    assert paper["title"]["maxLength"] == 200
    assert client.get("/api/model").json() == {
        "fields": ["title", "abstract"],
        "venues": recommender.venues_,
        "max_characters": 200,
    }


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b'{"title": "secret \xff"}', 400, "parsing the body"),
        (b'{"title": "secret', 422, "JSON decode error"),
        (b'{"title": "secret \\ud800"}', 422, "unicode"),
        (b'["secret"]', 422, "valid dictionary"),
        (b'{"title": 5}', 422, "body.title: Input should be a valid string"),
        (b'{"title": ""}', 422, "text: expected at least one of"),
        (b'{"title": "\\u0000 secret"}', 422, "at least one word of the training papers"),
        (b'{"titel": "secret"}', 422, "body.titel: Extra inputs are not permitted"),
        (b'{"title": "robot", "k": 99}', 422, "body.k: Input should be less than or equal to 3"),
        (json.dumps({"title": "secret" * 40}).encode(), 422, "body.title: String should have at most 200 characters"),
        (json.dumps({"title": "secret" * 200_000}).encode(), 413, "expected a body of at most 8896 bytes, got more"),
    ],
)
def test_bad_bodies_are_refused_without_an_echo(client, caplog, capfd, body, status, detail):
    with caplog.at_level(logging.DEBUG):
        answer = client.post("/api/recommend", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, detail in answer.json()["detail"]) == (status, True)
    written = "".join([answer.text, caplog.text, *capfd.readouterr()])
    assert "secret" not in written
    assert client.post("/api/recommend", json={"title": "robot"}).status_code == 200


def test_deep_nesting_is_refused(client):
    # How deep Python's parser goes before it gives up depends on its version.
    answer = client.post("/api/recommend", content=b"[" * 5000, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert client.post("/api/recommend", json={"title": "robot"}).status_code == 200


def test_unknown_venue(client):
    answer = client.post("/api/explain", json={"title": "robot", "venue": "NeurIPS"})
    assert (answer.status_code, "venues: expected some of" in answer.json()["detail"]) == (422, True)


def call(guard, *, body=b"", delay=0.0):
    """Send one request to an ASGI application and return the status."""

    async def receive():
        await asyncio.sleep(delay)
        return {"type": "http.request", "body": body}

    async def run():
        sent = []

        async def send(message):
            sent.append(message)

        await guard({"type": "http"}, receive, send)
        return sent[0]["status"]

    return run()


async def slow_application(scope, receive, send):
    await asyncio.sleep(0.2)
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def test_guard_refuses_too_large_too_many_and_too_slow():
    async def statuses(guard, *calls):
        return await asyncio.gather(*(call(guard, **options) for options in calls))

    guard = Guard(slow_application, max_bytes=10, max_in_flight=2, timeout=5)
    assert asyncio.run(statuses(guard, {"body": b"x" * 10}, {"body": b"x" * 11})) == [200, 413]
    assert sorted(asyncio.run(statuses(guard, {}, {}, {}))) == [200, 200, 503]
    assert guard.in_flight == 0
    impatient = Guard(slow_application, max_bytes=10, max_in_flight=2, timeout=0.1)
    assert asyncio.run(statuses(impatient, {}, {"delay": 1})) == [504, 504]
    assert impatient.in_flight == 0


def test_two_hundred_requests_in_flight_get_their_own_answers(recommender, serving):
    words = ["parsing", "grammar", "image", "pixels", "robot", "gripper", "arm", "depth", "syntax", "torque"]
    papers = [{"title": f"{words[i % 10]} {words[i // 10 % 10]}", "abstract": words[i * 7 % 10]} for i in range(200)]
    expected = [recommender.recommend(**paper)[0] for paper in papers]

    async def all_at_once(url):
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(base_url=url, limits=limits, timeout=120) as client:
            return await asyncio.gather(*(client.post("/api/recommend", json=paper) for paper in papers))

    with serving(create_app(recommender)) as url:
        answers = asyncio.run(all_at_once(url))
    assert {answer.status_code for answer in answers} == {200}
    best = [answer.json()["venues"][0] for answer in answers]
    assert [(one["venue"], pytest.approx(one["score"], abs=1e-6)) for one in best] == expected


def test_bad_limits(recommender, options):
    with pytest.raises(ValueError, match="timeout: expected a positive number of seconds, got 0"):
        create_app(recommender, timeout=0)
    with pytest.raises(ValueError, match="expected a fitted model"):
        create_app(VenueRecommender(**options))
