// What sliders draw into the pictures; the pictures themselves came with the page.

const SVG = "http://www.w3.org/2000/svg";

function layer(name) {
  // An empty group on top of a picture, and functions from its data to points of the drawing.
  const svg = document.getElementById(`picture-${name}`);
  if (svg === null) return null;
  const places = JSON.parse(svg.dataset.places);
  let group = svg.querySelector("g.live");
  if (group === null) {
    group = document.createElementNS(SVG, "g");
    group.setAttribute("class", "live");
    svg.append(group);
  }
  group.replaceChildren();
  const along = ([low, high, from, to, log]) => (value) => {
    const share = log
      ? Math.log(value / low) / Math.log(high / low)
      : (value - low) / (high - low);
    return from + Math.min(Math.max(share, 0), 1) * (to - from);
  };
  return { svg, group, places, x: along(places.x), y: along(places.y) };
}

function drawn(on, tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  on.group.append(element);
}

function hide(svg, name, hidden) {
  const element = document.getElementById(`${svg}-${name}`);
  if (element !== null) element.style.display = hidden ? "none" : "";
}

function drawForecast(page, state, found) {
  const on = layer("extrapolation");
  if (on === null) return;
  const own = found.candidates.find((c) => c.name === page.plan.chosen);
  const moved = !page.plan.downstream && state.target !== page.plan.target;
  hide("extrapolation", "target", moved);
  hide("extrapolation", "target-label", moved);
  const [left, right] = [on.places.x[2], on.places.x[3]];
  if (moved) {
    const y = on.y(state.target), said = filled(page.words["target line"], { at: lossText(state.target) });
    drawn(on, "line", { class: "target", x1: left, x2: right, y1: y, y2: y });
    drawn(on, "text", { class: "target", x: left + 4, y: y - 3 }, said);
  }
  if (state.scale === 1) return;
  const compute = page.compute[page.plan.candidates.findIndex((c) => c.name === own.name)];
  const at = compute * state.scale, x = on.x(at), loss = quantiles(own.drawn);
  if (at > on.places.x[1] || at < on.places.x[0]) return;
  drawn(on, "line", { class: "interval", x1: x, x2: x, y1: on.y(loss.low), y2: on.y(loss.high) });
  drawn(on, "circle", { class: "mark", cx: x, cy: on.y(loss.median), r: 4 });
}

function drawBudget(page, state, found) {
  const on = layer("budget");
  if (on === null) return;
  const own = found.candidates.find((c) => c.name === page.plan.chosen);
  const index = page.plan.candidates.findIndex((c) => c.name === own.name);
  const atPlan = priced(page.plan, { ...state, price: 1 }, page.plan.candidates[index], 1).cost;
  const unit = atPlan > 0 ? atPlan : page.compute[index];
  const retargeted = state.target !== page.plan.target;
  hide("budget", "curve", retargeted);
  page.plan.candidates.forEach((_, k) => hide("budget", `candidate${k}`, retargeted));
  if (retargeted) {
    const points = chances(page, state.target).map((chance, k) => {
      const scale = Math.exp(page.places[k]);
      return `${on.x(unit * scale).toFixed(2)},${on.y(chance).toFixed(2)}`;
    });
    drawn(on, "polyline", { class: "curve", points: points.join(" ") });
  }
  if (!retargeted && state.scale === 1) return;
  const x = on.x(unit * state.scale), y = on.y(own.chance), right = on.places.x[3];
  drawn(on, "line", { class: "guide", x1: x, x2: x, y1: on.places.y[2], y2: y });
  drawn(on, "circle", { class: "mark", cx: x, cy: y, r: 4.5 });
  const end = x > 0.6 * right;
  const place = { x: end ? x - 7 : x + 7, y: y - 7, "text-anchor": end ? "end" : "start" };
  drawn(on, "text", { class: "said", ...place }, `${usd(own.cost)}: ${percent(own.chance)}`);
}
