// Sentences with numbers in them: templates come from reports/sentences.py.

function filled(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

function targetText(page, level) {
  return filled(page.level, { at: page.plan.downstream ? plainNumber(level) : lossText(level) });
}

function sentences(page, state, found) {
  // Every text that sliders move, by the name of the element that holds it.
  const words = page.words, best = found.ranked[0], name = best.name, out = {};
  const none = found.verdict === "DO NOT FUND" && found.candidates.length > 1;
  const pilot = found.best === null ? "" : found.best.name;
  const loss = quantiles(best.drawn);
  out.verdict = found.verdict;
  out.sentence = filled(words[none ? "none of them" : found.verdict], { name, pilot });
  out.chance = percent(best.chance);
  out["chance-words"] = filled(words.chance, { name, target: targetText(page, state.target) });
  out.loss = lossText(loss.median);
  out["loss-words"] = filled(words.loss, { low: lossText(loss.low), high: lossText(loss.high) });
  out.net = money(best.net);
  out["net-words"] = filled(words.net, { value: money(found.valueAtTarget), cost: money(best.cost) });
  out.sliders = filled(words.sliders, { name });
  return { ...out, ...turns(page, state, found) };
}

function turns(page, state, found) {
  // What each slider stands at, and where the answer turns.
  const words = page.words, best = found.ranked[0], name = best.name, out = {};
  const say = (key, at, values) => {
    out[`${key}-words`] = filled(words[`${key} ${at === null ? "never" : "turns"}`], values);
  };
  const target = targetTurn(page, state, name);
  out.target = targetText(page, state.target);
  say("target", target, { name, at: target === null ? "" : targetText(page, target) });
  out.value = usd(found.valueAtTarget);
  const value = factorTurn(page, state, best, "value");
  const worth = value === null ? null : worthOf(page.plan, { ...state, value })(state.target);
  say("value", worth, { at: usd(worth) });
  out.price = usd(page.plan.price * state.price);
  const price = factorTurn(page, state, best, "price");
  say("price", price, { at: usd(page.plan.price * price) });
  const own = found.candidates.find((c) => c.name === page.plan.chosen);
  const scale = likelyScale(page, state);
  out.scale = usd(own.cost);
  say("scale", scale, {
    probability: percent(page.asked),
    cost: scale === null ? "" : usd((own.cost / state.scale) * scale),
    times: scale === null ? "" : times(scale),
  });
  const pilot = found.best, perfect = usd(found.evpi);
  out.pilots = pilot === null ? "none" : usd(pilot.gain);
  say("pilots", pilot, pilot === null ? { perfect } : {
    pilot: pilot.name, cost: usd(pilot.cost), worth: usd(pilot.value), perfect,
  });
  found.turns = { target, value, price, scale };
  return out;
}

function quantiles(run) {
  // Worked out once a run.
  const at = (prob) => Math.exp(mixtureQuantile(run.mean, run.sd, prob));
  run.quantiles = run.quantiles || { low: at(0.05), median: at(0.5), high: at(0.95) };
  return run.quantiles;
}

function factorTurn(page, state, best, field) {
  // The factor on worth or price at which funding a run breaks even, within a thousand.
  const index = page.plan.candidates.findIndex((run) => run.name === best.name);
  const sign = field === "value" ? 1 : -1, end = Math.log(1000);
  const pays = (log) => {
    const moved = { ...state, [field]: Math.exp(log) };
    return sign * candidate(page, moved, index, best.chance).weighed;
  };
  if (pays(-end) > 0 === (pays(end) > 0)) return null;
  return Math.exp(crossing(pays, -end, end, 32));
}

function targetTurn(page, state, name) {
  // The target at which funding a run breaks even, between the ends of the slider.
  const slider = page.sliders.find((each) => each.name === "target");
  const index = page.plan.candidates.findIndex((run) => run.name === name);
  const pays = (target) => candidate(page, { ...state, target }, index).weighed;
  if (pays(slider.low) > 0 === (pays(slider.high) > 0)) return null;
  return crossing(pays, slider.low, slider.high, 24);
}

function chances(page, target) {
  // The chance of a target at every size, worked out once a target.
  if (page.known === undefined || page.known.target !== target) {
    page.known = { target, found: page.sizes.map((run) => chanceOf(run, target)) };
  }
  return page.known.found;
}

function likelyScale(page, state) {
  // The smallest size that meets the target with the probability that the plan asks for.
  if (state.target === page.plan.target) return page.likely;
  const chance = (place) => {
    const run = sizeAt(page.sizes, page.places, Math.exp(place));
    return chanceOf(run, state.target) - page.asked;
  };
  const known = chances(page, state.target);
  const above = known.findIndex((prob) => prob >= page.asked);
  if (above < 0) return null;
  if (above === 0) return Math.exp(page.places[0]);
  return Math.exp(crossing(chance, page.places[above - 1], page.places[above], 24));
}
