// The normal distribution, and mixtures of normals on log loss: the twin of forecasts/mixture.py.

const ROOT_TWO_PI = Math.sqrt(2 * Math.PI);

function normalBelow(z) {
  // A series near zero, a continued fraction in the tails; both to about 1e-15.
  const size = Math.abs(z);
  if (size > 38) return z < 0 ? 0 : 1;
  const density = Math.exp(-0.5 * z * z) / ROOT_TWO_PI;
  if (size < 4.5) {
    let term = z, sum = z;
    for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) sum += term *= (z * z) / k;
    return 0.5 + density * sum;
  }
  let fraction = 0;
  for (let k = 40; k > 0; k--) fraction = k / (size + fraction);
  const tail = density / (size + fraction);
  return z < 0 ? tail : 1 - tail;
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
  return crossing((x) => mixtureBelow(mean, sd, x) - prob, low, high, 44);
}

function crossing(rising, low, high, steps) {
  // Bisection: where a rising function passes zero.
  for (let step = 0; step < steps; step++) {
    const middle = 0.5 * (low + high);
    if (rising(middle) < 0) low = middle; else high = middle;
  }
  return 0.5 * (low + high);
}
