// Start: read what the page carries, listen to the sliders, write what they change.

function readPage() {
  const page = JSON.parse(document.getElementById("live").textContent);
  page.runs = readRuns(page.runs, page.runs.count);
  page.sizes = readRuns(page.sizes, page.sizes.count);
  const draws = page.runs[0].loss.length;
  page.halves = readHalves(page.halves, page.repeats, page.clusters, draws);
  return page;
}

function write(texts) {
  for (const [name, text] of Object.entries(texts)) {
    for (const element of document.querySelectorAll(`[data-live="${name}"]`)) {
      if (element.textContent !== text) element.textContent = text;
    }
  }
}

function writeRow(page, table, row, cells) {
  const columns = page.columns[table];
  write(Object.fromEntries(Object.entries(cells).map(([column, text]) => [
    `${table}-${row}-${columns.indexOf(column)}`, text,
  ])));
}

function writeTables(page, state, found) {
  found.candidates.forEach((c, k) => {
    const plan = page.plan.candidates[k], root = Math.sqrt(c.scale), loss = quantiles(c.drawn);
    writeRow(page, "candidates", k, {
      N: countText(plan.n_params * root), D: countText(plan.n_tokens * root),
      reach: times(page.factors[k] * c.scale), loss: lossText(loss.median),
      "90 %": `${lossText(loss.low)} to ${lossText(loss.high)}`,
      "P(target)": percent(c.chance), "P(best)": percent(c.best),
      "cost, USD": money(c.cost), "net value, USD": money(c.net),
    });
  });
  found.pilots.forEach((pilot, k) => {
    writeRow(page, "pilots", k, {
      "cost, USD": money(pilot.cost),
      "worth, USD": `${money(pilot.value)} ± ${money(pilot.error)}`,
      "net gain, USD": money(pilot.gain),
      "gain per USD": plainNumber(pilot.gain === 0 ? 0 : pilot.gain / Math.max(pilot.cost, 0)),
    });
  });
  const body = document.querySelector('[data-table="sets"] tbody');
  if (body !== null) body.replaceChildren(...found.sets.map(setRow));
}

function setRow(set) {
  const row = document.createElement("tr");
  const cells = [
    set.name, money(set.cost), `${money(set.value)} ± ${money(set.error)}`, money(set.gain),
  ];
  row.append(...cells.map((text, k) => {
    const cell = document.createElement("td");
    if (k === 0) cell.className = "text";
    cell.textContent = text;
    return cell;
  }));
  return row;
}

function mark(page, found, texts) {
  // The notch of each turning point, and what a screen reader says of a slider.
  for (const slider of page.sliders) {
    const input = document.getElementById(`slider-${slider.name}`);
    if (input === null) continue;
    input.setAttribute("aria-valuetext", texts[slider.name]);
    const turn = document.getElementById(`turn-${slider.name}`);
    const at = found.turns[slider.name], factor = isFactor(slider) && at !== null;
    const notch = notchOf(slider, factor ? at * slider.stated : at);
    turn.hidden = notch === null;
    if (notch !== null) turn.style.setProperty("--at", (notch + NOTCHES) / (2 * NOTCHES));
  }
}

function show(page) {
  const notches = readNotches(page), state = stateAt(page, notches);
  const found = weigh(page, state), texts = sentences(page, state, found);
  write(texts);
  document.querySelectorAll('[data-live="verdict"]').forEach((word) => {
    word.className = page.tones[found.verdict];
  });
  writeTables(page, state, found);
  mark(page, found, texts);
  drawForecast(page, state, found);
  drawBudget(page, state, found);
  const moved = page.sliders.filter((slider) => notches[slider.name] !== 0);
  document.getElementById("moved").hidden = moved.length === 0;
  const what = moved.map((slider) => {
    const label = document.getElementById(`label-${slider.name}`).textContent;
    return `${label[0].toLowerCase()}${label.slice(1)} ${texts[slider.name]}`;
  });
  write({ moved: filled(page.words.moved, { what: what.join(", ") }) });
  toAddress(notches);
  return { state, found };
}

const page = readPage();
let waiting = false;

function later() {
  // However fast a slider moves, the answer is worked out once a frame.
  if (waiting) return;
  waiting = true;
  window.requestAnimationFrame(() => { waiting = false; show(page); });
}

function unfold(open) {
  // Paper cannot be clicked: what is folded away is printed too.
  document.querySelectorAll("details").forEach((each) => { each.open = open; });
}

window.addEventListener("beforeprint", () => unfold(true));
window.addEventListener("afterprint", () => unfold(false));
document.documentElement.classList.add("live");
fromAddress(page);
document.querySelectorAll("input[type=range]").forEach((input) => {
  input.addEventListener("input", later);
});
document.getElementById("back").addEventListener("click", () => {
  document.querySelectorAll("input[type=range]").forEach((input) => { input.value = 0; });
  show(page);
});
window.addEventListener("hashchange", () => { fromAddress(page); show(page); });
show(page);
// For whoever wants the numbers behind the sentences.
window.bayescale = {
  weigh: (state) => weigh(page, state),
  quantiles,
  state: () => stateAt(page, readNotches(page)),
  turns: () => show(page).found.turns,
  sliders: page.sliders,
  words: { money, usd, percent, lossText, times, plainNumber, countText },
};
