// From draws and a plan's numbers to a verdict: the twin of decisions/weigh.py and pilots.py.

const ERRORS = 2, LARGEST_SET = 4, TRIED = 4, RUIN = 500;

function worthOf(plan, state) {
  // Worth of an outcome in USD, by the shape of the plan's value.
  const value = plan.value, usd = value.usd * state.value;
  if (value.shape === "step") return (outcome) => (outcome <= state.target ? usd : 0);
  if (value.shape === "linear") {
    const span = value.worthless_at - state.target;
    return (outcome) => usd * Math.max((value.worthless_at - outcome) / span, 0);
  }
  const points = value.points.map(([at, worth]) => [at, worth * state.value]);
  return (outcome) => onLines(points, outcome);
}

function onLines(points, x) {
  if (x <= points[0][0]) return points[0][1];
  for (let k = 1; k < points.length; k++) {
    const [low, from] = points[k - 1], [high, to] = points[k];
    if (x <= high) return from + ((to - from) / (high - low)) * (x - low);
  }
  return points[points.length - 1][1];
}

function weighedBy(tolerance) {
  // Constant absolute risk aversion; without a tolerance money is weighed by its mean.
  if (tolerance === null) {
    return {
      utility: (usd) => usd,
      certain: (utility) => utility,
      slope: () => 1,
      prize: (sure, chance) => (chance ? sure / chance : Infinity),
    };
  }
  return {
    utility: (usd) => -tolerance * Math.expm1(Math.min(-usd / tolerance, RUIN)),
    certain: (utility) => -tolerance * Math.log1p(-utility / tolerance),
    slope: (utility) => 1 / (1 - utility / tolerance),
    prize: (sure, chance) => {
      const met = chance ? -Math.expm1(-sure / tolerance) / chance : Infinity;
      return met < 1 ? -tolerance * Math.log1p(-met) : Infinity;
    },
  };
}

function priced(plan, state, run, scale) {
  // What a run costs, takes and would cost to serve, the chosen one at another compute.
  const hourly = plan.price * state.price, hours = run.hours * scale;
  const serving = plan.serving_price === null ? hourly : plan.serving_price;
  return {
    hours,
    cost: run.cost === null ? hourly * hours : run.cost * scale,
    days: run.days === null ? null : run.days * scale,
    serving: serving * run.serving_hours * Math.sqrt(scale),
  };
}

function isLate(plan, days, after) {
  return plan.deadline !== null && after + days > plan.deadline;
}

function drawnAt(page, k, scale) {
  // A candidate's draws at a scale; the last one is kept.
  if (scale === 1) return page.runs[k];
  if (page.kept === undefined || page.kept.scale !== scale) {
    page.kept = { scale, run: sizeAt(page.sizes, page.places, scale) };
  }
  return page.kept.run;
}

function candidate(page, state, k, chance) {
  // What funding one candidate promises; its chance is worked out where it is not given.
  const { plan } = page, run = plan.candidates[k], worth = worthOf(plan, state);
  const scale = run.name === plan.chosen ? state.scale : 1, drawn = drawnAt(page, k, scale);
  const found = { name: run.name, scale, drawn, ...priced(plan, state, run, scale) };
  found.chance = chance === undefined ? chanceOf(drawn, state.target) : chance;
  found.brings = () => (
    Float64Array.from(drawn.outcome, (o) => Math.max(worth(o) - found.serving, 0))
  );
  settle(found, plan, worth(state.target));
  return found;
}

function weigh(page, state) {
  const { plan, runs } = page, candidates = plan.candidates.map((_, k) => candidate(page, state, k));
  const brings = candidates.map((c) => c.brings());
  const pays = (after) => [
    new Float64Array(runs[0].loss.length),
    ...candidates.map((c, k) => {
      const late = isLate(plan, c.days, after);
      return brings[k].map((b) => (late ? 0 : b) - c.cost);
    }),
  ];
  shareBest(candidates);
  const valueAtTarget = worthOf(plan, state)(state.target);
  const ranked = [...candidates].sort(byWorth);
  const found = { candidates, ranked, valueAtTarget };
  valuePilots(page, state, found, pays);
  found.best = bestPilot([...found.pilots, ...found.sets]);
  const clear = found.best !== null && isClear(found.best);
  found.verdict = clear ? "RUN PILOTS FIRST" : ranked[0].weighed > 0 ? "FUND" : "DO NOT FUND";
  return found;
}

function settle(c, plan, valueAtTarget) {
  // Expected net value, its sure equivalent, and where funding breaks even.
  const step = plan.value.shape === "step", late = isLate(plan, c.days, 0);
  const risk = weighedBy(plan.tolerance);
  const met = Math.max(valueAtTarget - c.serving, 0);
  if (late) c.net = -c.cost;
  else c.net = (step ? met * c.chance : mean(c.brings())) - c.cost;
  c.weighed = c.net;
  if (plan.tolerance !== null && !late) {
    const expected = step
      ? c.chance * risk.utility(met - c.cost) + (1 - c.chance) * risk.utility(-c.cost)
      : mean(c.brings().map((b) => risk.utility(b - c.cost)));
    c.weighed = risk.certain(expected);
  }
  const brought = c.weighed + c.cost;
  if (step && !late) c.breakEvenValue = risk.prize(c.cost, c.chance) + c.serving;
  else c.breakEvenValue = brought > 0 ? (valueAtTarget * c.cost) / brought : Infinity;
  c.breakEvenPrice = brought / c.hours;
}

function byWorth(a, b) {
  const key = (c) => [-Math.max(c.weighed, 0), c.weighed > 0 ? 0 : c.breakEvenValue];
  const [x, y] = [key(a), key(b)];
  if (x[0] !== y[0]) return x[0] - y[0];
  if (x[1] !== y[1]) return x[1] < y[1] ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

function shareBest(candidates) {
  const wins = candidates.map(() => 0), draws = candidates[0].drawn.loss.length;
  for (let s = 0; s < draws; s++) wins[argmax(candidates.map((c) => -c.drawn.loss[s]))] += 1;
  candidates.forEach((c, k) => { c.best = wins[k] / draws; });
}

function isClear(pilot) {
  return pilot.gain > ERRORS * pilot.error;
}

function bestPilot(pilots) {
  const better = (a, b) => {
    if (isClear(a) !== isClear(b)) return isClear(a);
    return a.gain !== b.gain ? a.gain > b.gain : a.name > b.name;
  };
  return pilots.reduce((best, pilot) => (best === null || better(pilot, best) ? pilot : best), null);
}

function valuePilots(page, state, found, pays) {
  const { plan, runs, halves, clusters } = page, risk = weighedBy(plan.tolerance);
  const asUtility = (payoffs) => payoffs.map((action) => action.map(risk.utility));
  const now = asUtility(pays(0)), before = Math.max(...now.map(mean));
  found.evpi = risk.certain(before + evpi(now)) - risk.certain(before);
  const logs = runs.slice(plan.candidates.length).map((run) => Float64Array.from(run.loss, Math.log));
  const several = (chosen) => {
    const terms = chosen.map((k) => priced(plan, state, plan.pilots[k], 1));
    const wait = Math.max(0, ...terms.map((t) => t.days || 0));
    const later = plan.deadline === null ? now : asUtility(pays(wait));
    const signals = chosen.length === 1
      ? [logs[chosen[0]]]
      : regressed(chosen.map((k) => logs[k]), found.candidates.map((c) => c.drawn.loss));
    const seen = evsi(now, signals, halves, clusters, later);
    const value = risk.certain(before + seen.value) - risk.certain(before);
    const cost = terms.reduce((sum, t) => sum + t.cost, 0);
    const error = seen.error * risk.slope(before + seen.value);
    const name = chosen.map((k) => plan.pilots[k].name).join(" + ");
    return { name, chosen, cost, value, error, gain: value - cost };
  };
  found.pilots = plan.pilots.map((_, k) => several([k]));
  found.sets = greedy(found.pilots, several);
}

function greedy(pilots, several) {
  const ranked = [...pilots].sort((a, b) => b.gain - a.gain || (a.name < b.name ? -1 : 1));
  const sets = [];
  let best = ranked[0];
  if (!best || best.value <= ERRORS * best.error) return sets;
  let chosen = best.chosen, left = ranked.slice(1).map((pilot) => pilot.chosen[0]);
  while (left.length && chosen.length < LARGEST_SET) {
    const tried = left.slice(0, TRIED).map((k) => several([...chosen, k]));
    const found = tried[argmax(tried.map((set) => set.gain))];
    if (found.gain <= best.gain + found.error) break;
    sets.push(found);
    best = found;
    chosen = found.chosen;
    left = left.filter((k) => !chosen.includes(k));
  }
  return sets;
}

function regressed(seen, losses) {
  // What several pilots say of each candidate's log loss, by linear regression.
  const centred = seen.map((x) => { const c = mean(x); return x.map((value) => value - c); });
  const dot = (x, y) => x.reduce((sum, value, s) => sum + value * y[s], 0);
  const scatter = centred.map((x) => centred.map((y) => dot(x, y)));
  scatter.forEach((row, k) => { row[k] += 1e-9 * row[k]; });
  const fitted = losses.map((loss) => {
    const logs = Float64Array.from(loss, Math.log);
    const weights = solved(scatter, centred.map((x) => dot(x, logs)));
    return logs.map((_, s) => weights.reduce((sum, w, k) => sum + w * centred[k][s], 0));
  });
  // Doing nothing pays nothing whatever is seen.
  return [fitted[0], ...fitted];
}

function solved(matrix, right) {
  const rows = matrix.map((row, k) => [...row, right[k]]), n = rows.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let r = k + 1; r < n; r++) if (Math.abs(rows[r][k]) > Math.abs(rows[pivot][k])) pivot = r;
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let r = 0; r < n; r++) {
      if (r === k) continue;
      const factor = rows[r][k] / rows[k][k];
      for (let c = k; c <= n; c++) rows[r][c] -= factor * rows[k][c];
    }
  }
  return rows.map((row, k) => row[n] / row[k]);
}
