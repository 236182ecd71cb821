// A payment that waits for Stripe: looks every few seconds how it stands, and shows the page anew when it has changed.
// Without scripts there is a link that does so.

const waiting = document.getElementById("waiting");
const address = `/console/top-up/state.json?id=${encodeURIComponent(waiting?.dataset.payment ?? "")}`;
const DELAYS = [2, 3, 3, 4, 5, 5, 8, 10, 15];
const PATIENCE_MS = 10_000;
let asked = 0;

async function look() {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(address, { headers: { accept: "application/json" }, cache: "no-store", redirect: "manual", signal });
    // Whoever is not signed in any more is led to where they do.
    if (answer.type === "opaqueredirect" || (answer.ok && (await answer.json()).state !== "waiting")) return location.reload();
    if (answer.status === 404) return;
  } catch {
    // Away for a moment: later again.
  }
  later();
}

function later() {
  if (asked < 60) setTimeout(look, 1000 * DELAYS[Math.min(asked++, DELAYS.length - 1)]);
}

if (waiting) later();
