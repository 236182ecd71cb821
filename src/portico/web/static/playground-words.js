// What the page says, in its reader's language, and how it writes amounts.

const words = JSON.parse(document.getElementById("playground")?.dataset.words ?? "{}");

export function say(name, values = {}) {
  const told = words[name] ?? name;
  const text = typeof told === "string" ? told : values[told.count] === "1" ? told.one : told.several;
  return text.replace(/%\((\w+)\)s/g, (_, key) => values[key] ?? "");
}

// Nano-dollars with every digit that counts and at least cents, as everywhere in the house.
export function usd(nanos) {
  const sign = nanos < 0 ? "-" : "";
  const all = String(Math.abs(nanos)).padStart(10, "0");
  const digits = all.slice(-9).replace(/0+$/, "").padEnd(2, "0");
  return `${sign}$${whole(all.slice(0, -9))}.${digits}`;
}

export const whole = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

export function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function made(tag, attributes = {}, ...content) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...content);
  return node;
}
