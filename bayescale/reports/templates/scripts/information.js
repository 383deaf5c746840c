// What it is worth to know more first: the twin of decisions/information.py.

const BINS = 40;

function argmax(values) {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k;
  return best;
}

function mean(values) {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k];
  return sum / values.length;
}

function deviation(values) {
  const centre = mean(values);
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += (values[k] - centre) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

function evpi(payoffs) {
  // payoffs: one array of draws an action.
  const usual = payoffs[argmax(payoffs.map(mean))];
  let sum = 0;
  for (let s = 0; s < usual.length; s++) {
    let best = -Infinity;
    for (const action of payoffs) best = Math.max(best, action[s]);
    sum += best - usual[s];
  }
  return sum / usual.length;
}

function evsi(payoffs, signals, halves, clusters, later) {
  // signals: one array of draws, or one an action. halves: one array of 0 and 1 a repeat.
  const usual = payoffs[argmax(payoffs.map(mean))];
  const actions = signals.length === 1
    ? actionsOfOne(later, signals[0], halves)
    : actionsOfEach(later, signals, halves);
  const draws = usual.length, repeats = halves.length;
  const byDraw = new Float64Array(draws), byRepeat = new Float64Array(repeats);
  for (let r = 0; r < repeats; r++) {
    for (let s = 0; s < draws; s++) {
      // Each draw is paid by the rule learned on the half it does not belong to.
      const rule = halves[r][s] ? actions[2 * r + 1][s] : actions[2 * r][s];
      const gain = later[rule][s] - usual[s];
      byDraw[s] += gain / repeats;
      byRepeat[r] += gain / draws;
    }
  }
  const sums = new Float64Array(clusters), sizes = new Float64Array(clusters);
  for (let s = 0; s < draws; s++) {
    sums[s % clusters] += byDraw[s];
    sizes[s % clusters] += 1;
  }
  const overDraws = deviation(sums.map((sum, c) => sum / sizes[c])) / Math.sqrt(clusters);
  const overHalvings = deviation(byRepeat) / Math.sqrt(repeats);
  return { value: mean(byRepeat), error: Math.hypot(overDraws, overHalvings) };
}

function actionsOfOne(payoffs, signal, halves) {
  const bins = binsOf(signal);
  const tables = payoffs.map((action) => monotoneByHalf(action, bins, halves));
  return halfRows(halves).map((h) => {
    const best = new Uint8Array(BINS);
    for (let b = 0; b < BINS; b++) best[b] = argmax(tables.map((table) => table[h][b]));
    return bins.map((b) => best[b]);
  });
}

function actionsOfEach(payoffs, signals, halves) {
  const bins = signals.map(binsOf);
  const tables = payoffs.map((action, k) => monotoneByHalf(action, bins[k], halves));
  return halfRows(halves).map((h) => {
    const chosen = new Uint8Array(bins[0].length);
    for (let s = 0; s < chosen.length; s++) {
      chosen[s] = argmax(tables.map((table, k) => table[h][bins[k][s]]));
    }
    return chosen;
  });
}

function halfRows(halves) {
  return Array.from({ length: 2 * halves.length }, (_, h) => h);
}

function binsOf(signal) {
  // Equally filled bins; draws that tie keep their order.
  const order = Array.from(signal.keys()).sort((a, b) => signal[a] - signal[b] || a - b);
  const bins = new Uint8Array(signal.length);
  order.forEach((s, rank) => { bins[s] = Math.floor((rank * BINS) / signal.length); });
  return bins;
}

function monotoneByHalf(action, bins, halves) {
  return halves.flatMap((half) => {
    const sums = [new Float64Array(BINS), new Float64Array(BINS)];
    const counts = [new Float64Array(BINS), new Float64Array(BINS)];
    for (let s = 0; s < action.length; s++) {
      const side = half[s] ? 0 : 1;
      sums[side][bins[s]] += action[s];
      counts[side][bins[s]] += 1;
    }
    return [monotone(sums[0], counts[0]), monotone(sums[1], counts[1])];
  });
}

function monotone(sums, counts) {
  // Means of bins, pooled until they rise or fall throughout, whichever fits them.
  const weights = counts.map((count) => Math.max(count, 1e-6));
  let total = 0, moment = 0;
  weights.forEach((weight, b) => { total += weight; moment += weight * b; });
  let slope = 0;
  sums.forEach((sum, b) => { slope += sum * (b - moment / total); });
  const means = sums.map((sum, b) => sum / weights[b]);
  if (slope > 0) return pooled(means, weights);
  return pooled(means.reverse(), weights.reverse()).reverse();
}

function pooled(means, weights) {
  // Adjacent violators: blocks of (mean, weight, length) whose means rise.
  const blocks = [];
  means.forEach((value, b) => {
    let block = { value, weight: weights[b], length: 1 };
    while (blocks.length && blocks[blocks.length - 1].value >= block.value) {
      const last = blocks.pop(), weight = last.weight + block.weight;
      const value = (last.value * last.weight + block.value * block.weight) / weight;
      block = { value, weight, length: last.length + block.length };
    }
    blocks.push(block);
  });
  const out = new Float64Array(means.length);
  let b = 0;
  for (const { value, length } of blocks) { out.fill(value, b, b + length); b += length; }
  return out;
}
