// Numbers as text: the twin of reports/numbers.py.

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function precise(value, digits) {
  // As Python rounds: what lies exactly between two numbers goes to the even one.
  const [exact, power] = Math.abs(value).toExponential(50).split("e");
  const all = exact.replace(".", ""), kept = all.slice(0, digits), rest = all.slice(digits);
  if (!/^50*$/.test(rest) || Number(kept[digits - 1]) % 2) return Number(value.toPrecision(digits));
  return Math.sign(value) * Number(`${kept[0]}.${kept.slice(1)}e${power}`);
}

function significant(value) {
  // Three significant digits without an exponent, thousands separated.
  if (value === 0) return "0";
  const rounded = precise(value, 3);
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  const text = rounded.toLocaleString("en-US", {
    minimumFractionDigits: places, maximumFractionDigits: places,
  });
  const bare = text.includes(".") && Math.abs(rounded) >= 100;
  return bare ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

function money(value) {
  if (!Number.isFinite(value)) return "none";
  const sign = value < 0 ? "-" : "";
  const size = Math.abs(value);
  for (const [scale, name] of [[1e9, "billion"], [1e6, "million"]]) {
    if (size >= 0.9995 * scale) return `${sign}${significant(size / scale)} ${name}`;
  }
  return sign + significant(size);
}

function usd(value) {
  return Number.isFinite(value) ? `${money(value)} USD` : "none";
}

function percent(prob) {
  if (prob > 0 && prob < 0.01) return "< 1 %";
  if (prob > 0.99 && prob < 1) return "> 99 %";
  return `${halfToEven(100 * prob)} %`;
}

function halfToEven(value) {
  // As Python rounds: what lies exactly between goes to the even neighbour.
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

function lossText(value) {
  if (!Number.isFinite(value)) return "none";
  return precise(value, 4).toPrecision(4);
}

function times(value) {
  if (value >= 1000) return `${significant(value)}x`;
  return `${precise(value, value >= 10 ? 3 : 2)}x`;
}

function countText(value) {
  for (const [scale, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]]) {
    if (value >= 0.9995 * scale) return `${precise(value / scale, 3)}${letter}`;
  }
  return String(precise(value, 3));
}

function plainNumber(value) {
  if (!Number.isFinite(value)) return "none";
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-4 && size < 1e6)) return significant(value);
  const [digits, power] = size.toExponential(1).split("e");
  const raised = [...String(Number(power))].map((c) => (c === "-" ? "⁻" : RAISED[c])).join("");
  return `${value < 0 ? "-" : ""}${digits} × 10${raised}`;
}
