// The draws inside the page, and runs at sizes between those that were drawn.

function bytes(text) {
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let k = 0; k < raw.length; k++) out[k] = raw.charCodeAt(k);
  return out;
}

function columns(text, count) {
  // float32, little-endian, column by column.
  const view = new DataView(bytes(text).buffer), rows = view.byteLength / 4 / count;
  return Array.from({ length: count }, (_, k) => {
    const out = new Float32Array(rows);
    for (let s = 0; s < rows; s++) out[s] = view.getFloat32(4 * (k * rows + s), true);
    return out;
  });
}

function readRuns(held, count) {
  // One object a run: draws of its loss and outcome, and what gives the chance of a target.
  const losses = columns(held.losses, count), means = columns(held.mean, count);
  const sds = columns(held.sd, count);
  const outcomes = held.outcomes === null ? losses : columns(held.outcomes, count);
  let samples = null;
  if (held.sample !== null) samples = held.sample === "outcomes" ? outcomes : columns(held.sample, count);
  return losses.map((loss, k) => ({
    loss, outcome: outcomes[k], mean: means[k], sd: sds[k], sample: samples && samples[k],
  }));
}

function readHalves(text, repeats, clusters, draws) {
  const packed = bytes(text);
  return Array.from({ length: repeats }, (_, r) => {
    const out = new Uint8Array(draws);
    for (let s = 0; s < draws; s++) {
      const bit = r * clusters + (s % clusters);
      out[s] = (packed[bit >> 3] >> (7 - (bit & 7))) & 1;
    }
    return out;
  });
}

function chanceOf(run, level) {
  if (run.sample === null) return mixtureBelow(run.mean, run.sd, Math.log(level));
  let met = 0;
  for (const outcome of run.sample) met += outcome <= level;
  return met / run.sample.length;
}

function sizeAt(sizes, places, scale) {
  // Draw by draw on a line in log compute, between the two sizes on either side.
  const at = Math.log(scale);
  let k = 0;
  while (k < places.length - 2 && places[k + 1] <= at) k++;
  const weight = Math.min(Math.max((at - places[k]) / (places[k + 1] - places[k]), 0), 1);
  const mixed = (name) => {
    const low = sizes[k][name], high = sizes[k + 1][name];
    return low && low.map((value, s) => (1 - weight) * value + weight * high[s]);
  };
  const names = ["loss", "outcome", "mean", "sd", "sample"];
  return Object.fromEntries(names.map((name) => [name, mixed(name)]));
}
