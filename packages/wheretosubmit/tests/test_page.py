"""The page in a real Chromium (Debian's ``chromium``, or Google Chrome)."""

import re
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright
from wheretosubmit.web import create_app

pytestmark = pytest.mark.slow

TITLE = "Robot <script>window.attacked = true</script> gripper 😀 grammar"
ABSTRACT = "We plan its motion."


@pytest.fixture(scope="module")
def address(recommender, serving):
    with serving(create_app(recommender)) as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert program, "expected Chromium on the path: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    """The page in a window of a phone's size; whatever the browser complains about fails the test."""
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.set_default_timeout(60_000)
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: complaints.append(request.url))
    page.goto(address)
    yield page
    page.close()
    # A request of its own is no complaint, and a refused one is what test_errors_are_said is about.
    own = (address, "data:", "Failed to load resource: the server responded with a status of 422")
    assert [complaint for complaint in complaints if not complaint.startswith(own)] == []


def marks(page):
    """Return word and sign of each highlighted word that can be seen."""
    return {mark.inner_text(): mark.get_attribute("class") for mark in page.locator(".text mark:visible").all()}


def expected_marks(explanation):
    """Return the same for the words that the page colours."""
    scale = explanation.highlights["title"].scale
    words = [pair for one in explanation.highlights.values() for pair in zip(one.tokens, one.scores)]
    return {word: "for" if score > 0 else "against" for word, score in words if abs(score) > 0.02 * scale}


def test_paste_submit_and_click(page, recommender, tmp_path):
    page.get_by_label("Title").fill(TITLE)
    page.get_by_label("Abstract").fill(ABSTRACT)
    page.get_by_role("button", name="Recommend venues").click()
    venues = page.locator("#venues button")
    expect(venues).to_have_count(3)
    expected = recommender.recommend(title=TITLE, abstract=ABSTRACT)
    shown = [re.fullmatch(r"(\w+)\s*([\d.]+) %", venue.inner_text()) for venue in venues.all()]
    assert [(m[1], float(m[2])) for m in shown] == [(v, pytest.approx(100 * s, abs=0.06)) for v, s in expected]
    venues.first.click()
    expect(page.locator("#status")).to_have_text(f"The words behind {expected[0][0]} are shown below it.")
    assert page.locator(".text").first.inner_text() == TITLE
    assert page.evaluate("window.attacked") is None
    (explanation,) = recommender.explain(title=TITLE, abstract=ABSTRACT)
    assert marks(page) == expected_marks(explanation)
    screenshot = tmp_path / "page.png"
    page.screenshot(path=screenshot, full_page=True)
    assert screenshot.stat().st_size > 10_000
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")  # no sideways scrolling


def test_other_words_give_other_highlights(page, recommender):
    for title in ("robot gripper", "parsing grammar"):
        page.get_by_label("Title").fill(title)
        page.get_by_role("button", name="Recommend venues").click()
        (explanation,) = recommender.explain(title=title)
        expect(page.locator("#status")).to_have_text(f"3 venues found; the best is {explanation.venue}.")
        page.locator("#venues button").first.click()
        expected = expected_marks(explanation)
        expect(page.locator(".text mark:visible")).to_have_count(len(expected))
        assert marks(page) == expected


def test_everything_works_with_the_keyboard_alone(page):
    page.get_by_label("Title").focus()
    page.keyboard.type("robot gripper")
    for key in ("Tab", "Tab", "Enter"):  # abstract, button
        page.keyboard.press(key)
    expect(page.locator("#venues button")).to_have_count(3)
    page.get_by_role("button", name="Recommend venues").focus()
    for key in ("Tab", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#venues button").first).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".text mark:visible").first).to_be_visible()


def test_errors_are_said(page):
    page.get_by_label("Title").fill("😀")
    page.get_by_role("button", name="Recommend venues").click()
    expect(page.locator("#status")).to_have_text(
        "That did not work: text: expected at least one word of the training papers, got none"
    )


def test_colours_for_colour_blind_readers(page):
    page.get_by_label("Title").fill("robot")
    page.get_by_role("button", name="Recommend venues").click()
    page.locator("#venues button").first.click()
    mark = page.locator(".text mark:visible").first
    colour = "element => getComputedStyle(element).backgroundColor"
    before = mark.evaluate(colour)
    page.get_by_label("Colours for colour-blind readers").check()
    assert mark.evaluate(colour) != before


def test_documentation_lists_every_operation_offline(page, address):
    page.goto(f"{address}/docs")
    expect(page.get_by_role("heading", name="POST /api/recommend")).to_be_visible()
    for heading in ("POST /api/explain", "GET /api/model", "Paper", "Reasons"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    assert "curl" in page.locator("pre").first.inner_text()
