// Sliders: a hundred notches either way from what the plan states, which is the middle.

const NOTCHES = 100;

function valueAt(slider, notch) {
  if (notch === 0) return slider.stated;
  const end = notch > 0 ? slider.high : slider.low, share = Math.abs(notch) / NOTCHES;
  if (slider.log) return slider.stated * (end / slider.stated) ** share;
  return slider.stated + (end - slider.stated) * share;
}

function notchOf(slider, value) {
  // Where on the slider a value lies; null beyond its ends.
  if (value === null || !(value >= slider.low && value <= slider.high)) return null;
  const end = value > slider.stated ? slider.high : slider.low;
  if (end === slider.stated) return 0;
  const share = slider.log
    ? Math.log(value / slider.stated) / Math.log(end / slider.stated)
    : (value - slider.stated) / (end - slider.stated);
  return (value > slider.stated ? share : -share) * NOTCHES;
}

function isFactor(slider) {
  return slider.name === "value" || slider.name === "price";
}

function readNotches(page) {
  return Object.fromEntries(page.sliders.map((slider) => {
    const input = document.getElementById(`slider-${slider.name}`);
    return [slider.name, input === null ? 0 : Number(input.value)];
  }));
}

function stateAt(page, notches) {
  // Numbers of the plan as moved: worth and price as factors, as decisions/what_if.py takes them.
  const state = { target: page.plan.target, value: 1, price: 1, scale: 1 };
  for (const slider of page.sliders) {
    const value = valueAt(slider, notches[slider.name] || 0);
    state[slider.name] = isFactor(slider) ? value / slider.stated : value;
  }
  return state;
}

function fromAddress(page) {
  // The page's address keeps what was moved, so that a copied link shows the same.
  const found = new URLSearchParams(window.location.hash.slice(1));
  for (const slider of page.sliders) {
    const input = document.getElementById(`slider-${slider.name}`), notch = found.get(slider.name);
    if (input !== null) input.value = notch === null ? 0 : Number(notch) || 0;
  }
}

function toAddress(notches) {
  const moved = Object.entries(notches).filter(([, notch]) => notch !== 0);
  const hash = moved.length ? `#${new URLSearchParams(moved)}` : " ";
  try { window.history.replaceState(null, "", hash); } catch { /* some viewers forbid it */ }
}
