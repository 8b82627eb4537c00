"use strict";

const byId = (id) => document.getElementById(id);
let fields = [];
let paper = {};
let running = new AbortController();

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

async function ask(path, body) {
  const options = body && {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal: running.signal,
  };
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

async function attempt(message, work) {
  byId("status").textContent = message;
  try {
    byId("status").textContent = await work();
  } catch (error) {
    if (error.name !== "AbortError") byId("status").textContent = `That did not work: ${error.message}`;
  }
}

function marked({ text, spans, scores }, scale) {
  const parts = [];
  let place = 0;
  spans.forEach(([start, end], i) => {
    parts.push(text.slice(place, start));
    const strength = Math.abs(scores[i]) / scale;
    const word = text.slice(start, end);
    if (strength > 0.02) {
      const mark = element("mark", { title: scores[i].toPrecision(3), className: scores[i] < 0 ? "against" : "for" }, word);
      mark.style.setProperty("--strength", strength);
      parts.push(mark);
    } else {
      parts.push(word);
    }
    place = end;
  });
  return element("p", { className: "text" }, ...parts, text.slice(place));
}

async function explain(button, panel) {
  const open = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  panel.hidden = open;
  if (open || panel.childElementCount) return;
  await attempt(`Looking for the words behind ${button.dataset.venue} …`, async () => {
    const reasons = await ask("api/explain", { ...paper, venue: button.dataset.venue });
    for (const [field, words] of Object.entries(reasons.fields)) {
      if (words.text.trim()) panel.append(element("strong", {}, field), marked(words, reasons.scale));
    }
    const [gap, share] = [reasons.gap, reasons.score].map((value) => (100 * value).toFixed(1));
    panel.append(element("p", {}, `Completeness gap, what the words leave unexplained of ${share} %: ${gap} points.`));
    return `The words behind ${button.dataset.venue} are shown below it.`;
  });
}

function listed({ venue, score }, i) {
  const panel = element("div", { id: `reasons-${i}`, hidden: true });
  const percent = `${(100 * score).toFixed(1)} %`;
  const meter = element("meter", { value: score, max: 1 });
  meter.setAttribute("aria-hidden", "true");
  const button = element("button", { type: "button" }, element("span", {}, venue), meter, element("span", {}, percent));
  button.dataset.venue = venue;
  button.setAttribute("aria-expanded", "false");
  button.setAttribute("aria-controls", panel.id);
  button.addEventListener("click", () => explain(button, panel));
  return element("li", {}, button, panel);
}

byId("paper").addEventListener("submit", (event) => {
  event.preventDefault();
  running.abort();
  running = new AbortController();
  paper = Object.fromEntries(fields.map((field) => [field, byId(`field-${field}`).value]));
  byId("results").hidden = true;
  attempt("Reading your paper …", async () => {
    const { venues } = await ask("api/recommend", paper);
    byId("venues").replaceChildren(...venues.map(listed));
    byId("results").hidden = false;
    return `${venues.length} venues found; the best is ${venues[0].venue}.`;
  });
});

byId("colours").addEventListener("change", (event) => {
  document.documentElement.classList.toggle("colour-blind", event.target.checked);
});

attempt("Loading …", async () => {
  const model = await ask("api/model");
  fields = model.fields;
  byId("fields").replaceChildren(...fields.flatMap((field) => {
    const name = field.charAt(0).toUpperCase() + field.slice(1);
    const box = { id: `field-${field}`, rows: field === "abstract" ? 10 : 2, maxLength: model.max_characters };
    return [element("label", { htmlFor: box.id }, name), element("textarea", box)];
  }));
  byId("submit").disabled = false;
  return `Chooses between ${model.venues.length} venues.`;
});
