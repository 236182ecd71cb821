// Live calls: asks for them every two seconds while the page is looked at and nobody has paused it.

const EVERY_MS = 2000;
const PATIENCE_MS = 10_000;  // A connection that was lost while this machine slept says nothing.
const row = document.getElementById("live-row");
const table = document.querySelector("#calls tbody");
const live = document.getElementById("live");
const empty = document.getElementById("live-empty");
const count = document.getElementById("live-count");
const more = document.getElementById("live-more");
const state = document.getElementById("live-state");
const button = document.getElementById("live-pause");
let paused = false;

function age(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

function say(word) {
  if (state.textContent !== state.dataset[word]) state.textContent = state.dataset[word];
}

function fill(line, call) {
  const cells = line.cells;
  cells[0].textContent = age(call.age_s);
  const [account, key] = [cells[1].querySelector("a"), cells[2].querySelector("a")];
  account.href = `/admin/accounts/${encodeURIComponent(call.account)}`;
  account.textContent = call.account_name || call.account;
  key.href = `/admin/keys/${encodeURIComponent(call.key)}`;
  key.textContent = call.key_name || call.key_prefix || call.key;
  const model = cells[3].querySelector("span");
  model.className = call.model ? "mono" : "unknown";
  model.textContent = call.model || live.dataset.unknown;
  cells[4].textContent = call.provider || "–";
  cells[5].textContent = call.output_tokens === null ? "–" : call.output_tokens.toLocaleString("en-US");
  cells[6].textContent = call.held;
  cells[7].textContent = call.machine ? `${call.machine}:${call.process}` : "–";
  cells[8].textContent = call.request_id;
  if (!call.ending) return;
  const tag = document.createElement("span");
  tag.className = "tag tag-warn";
  tag.textContent = live.dataset.ending;
  cells[9].replaceChildren(tag);
}

function show(told) {
  const known = new Map([...table.rows].map((line) => [line.dataset.request, line]));
  const lines = told.calls.map((call) => {
    let line = known.get(call.request_id);
    if (!line) {
      line = row.content.firstElementChild.cloneNode(true);
      line.dataset.request = call.request_id;
      line.querySelector("[name=request]").value = call.request_id;
    }
    fill(line, call);
    return line;
  });
  const gone = [...known.values()].filter((line) => !lines.includes(line));
  for (const line of gone) line.remove();
  lines.forEach((line, at) => {
    if (table.rows[at] !== line) table.insertBefore(line, table.rows[at] ?? null);
  });
  empty.hidden = lines.length > 0;
  live.hidden = lines.length === 0;
  count.textContent = told.count.toLocaleString("en-US");
  more.hidden = told.count <= told.calls.length;
}

// What is open; null: it cannot be read right now. Whoever is not signed in any more is led to where they do.
async function read() {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch("/admin/live.json", { headers: { accept: "application/json" }, redirect: "manual", signal });
    if (answer.type === "opaqueredirect") location.reload();
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

async function look() {
  if (!paused && document.visibilityState === "visible") {
    const told = await read();
    if (!paused && told) show(told);
    if (!paused) say(told ? "running" : "lost");
  }
  setTimeout(look, EVERY_MS);
}

button.hidden = false;
button.addEventListener("click", () => {
  paused = !paused;
  button.textContent = paused ? button.dataset.resume : button.dataset.pause;
  say(paused ? "paused" : "running");
});
look();
