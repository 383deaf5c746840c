// The normal distribution, and mixtures of normals on log loss: the twin of forecasts/mixture.py.

const ROOT_TWO_PI = Math.sqrt(2 * Math.PI);

const STEPS = 256, NEAR = 4.5;

function normalSeries(z) {
  let term = z, sum = z;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) sum += term *= (z * z) / k;
  return 0.5 + normalDensity(z) * sum;
}

function normalTail(size) {
  // A continued fraction, for sizes from 4 on.
  let fraction = 0;
  for (let k = 40; k > 0; k--) fraction = k / (size + fraction);
  return normalDensity(size) / (size + fraction);
}

function normalDensity(z) {
  return Math.exp(-0.5 * z * z) / ROOT_TWO_PI;
}

const NODES = Float64Array.from({ length: STEPS * NEAR + 2 }, (_, k) => normalSeries(k / STEPS));
const SLOPES = Float64Array.from({ length: STEPS * NEAR + 2 }, (_, k) => normalDensity(k / STEPS));

function normalBelow(z) {
  // Between tabled points a cubic with their slopes, right to 1e-12.
  const size = Math.abs(z);
  if (!(size < NEAR)) return z < 0 ? normalTail(size) : 1 - normalTail(size);
  const k = Math.floor(size * STEPS), t = size * STEPS - k;
  const low = NODES[k], rise = NODES[k + 1] - low;
  const from = SLOPES[k] / STEPS - rise, to = rise - SLOPES[k + 1] / STEPS;
  const below = low + t * (rise + (1 - t) * ((1 - t) * from + t * to));
  return z < 0 ? 1 - below : below;
}

function mixtureBelow(mean, sd, x) {
  let sum = 0;
  for (let s = 0; s < mean.length; s++) sum += normalBelow((x - mean[s]) / sd[s]);
  return sum / mean.length;
}

function mixtureQuantile(mean, sd, prob) {
  let low = Infinity, high = -Infinity;
  for (let s = 0; s < mean.length; s++) {
    low = Math.min(low, mean[s] - 9 * sd[s]);
    high = Math.max(high, mean[s] + 9 * sd[s]);
  }
  return crossing((x) => mixtureBelow(mean, sd, x) - prob, low, high, 36);
}

function crossing(rising, low, high, steps) {
  // Bisection: where a rising function passes zero.
  for (let step = 0; step < steps; step++) {
    const middle = 0.5 * (low + high);
    if (rising(middle) < 0) low = middle; else high = middle;
  }
  return 0.5 * (low + high);
}
