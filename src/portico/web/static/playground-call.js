// Calls of the page: to the API, as the key that is lent to it; to the house for Markdown and for what an error means.

import { failureOf } from "./playground-read.js";
import { say } from "./playground-words.js";

const page = document.getElementById("playground");
const token = page?.dataset.token ?? "";
const RECEIPT_TRIES = 6;

// `key`: the id and the seal, as the page was told them.
const lent = (key) => ({ "x-portico-token": token, "x-portico-key": key });

// Makes a call and tells of each event. Resolves to {id, failure}, also when it was stopped; never rejects.
export async function stream(request, key, { signal, onId, onEvent }) {
  let id = "";
  try {
    const response = await fetch(request.path, {
      method: "POST",
      headers: { "content-type": "application/json", ...request.headers, ...lent(key) },
      body: JSON.stringify(request.body),
      signal,
    });
    id = response.headers.get("x-portico-request-id") ?? "";
    onId(id, response.headers);
    if (!response.ok) {
      const told = await jsonOf(response);
      onEvent(told);
      return { id, failure: { ...failureOf(Array.isArray(told) ? told[0] : told, response.status), refused: true } };
    }
    for await (const data of eventsOf(response.body)) {
      if (data !== "[DONE]") onEvent(JSON.parse(data));
    }
    return { id, failure: null };
  } catch (error) {
    if (signal.aborted) return { id, failure: null };
    // Whether it arrived, and is charged, nobody can say whom no answer reached.
    return { id, failure: { status: 0, code: "", message: id ? String(error.message ?? error) : say("unreachable"), doc: "" } };
  }
}

// The data of server-sent events, as it comes.
export async function* eventsOf(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let data = [];
  for (;;) {
    const { value, done } = await reader.read();
    rest += done ? decoder.decode() + "\n\n" : decoder.decode(value, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
      else if (line === "" && data.length) {
        yield data.join("\n");
        data = [];
      }
    }
    if (done) return;
  }
}

async function jsonOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { error: { message: text.slice(0, 500) } };
  }
}

// What a call cost: {charge, receipt}; {charge: 0} where nothing was ever held; null: nobody can say now.
export async function receiptOf(id, key) {
  for (let at = 0; at < RECEIPT_TRIES; at += 1) {
    try {
      const response = await fetch(`/v1/receipts/${encodeURIComponent(id)}`, { headers: lent(key) });
      if (response.ok) {
        const receipt = await response.json();
        return { charge: receipt.charge_nanos, receipt };
      }
      // A call that was refused leaves none; of one that is not settled yet it is told when to ask again.
      const isOpen = response.headers.has("retry-after");
      if (response.status === 404 && !isOpen && at > 0) return { charge: 0, receipt: null };
      if (response.status === 401) return null;
    } catch {
      // It is asked again.
    }
    await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** at));
  }
  return null;
}

// What would be held for a request, {nanos, covered}; null if it would be refused, or nobody can say.
export async function estimateOf(request, key, signal) {
  const model = request.model ? `&model=${encodeURIComponent(request.model)}` : "";
  try {
    const response = await fetch(`/v1/estimate?dialect=${request.dialect}${model}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...request.headers, ...lent(key) },
      body: JSON.stringify(request.body),
      signal,
    });
    if (!response.ok) return { failure: failureOf(await jsonOf(response), response.status) };
    const told = await response.json();
    return { nanos: told.ceiling_nanos, covered: told.covered, priced: told.priced };
  } catch {
    return null;
  }
}

// The names of the models that a key may ask; null: nobody can say.
export async function modelsOf(key) {
  try {
    const response = await fetch("/v1/models", { headers: lent(key) });
    return response.ok ? new Set((await response.json()).data.map((one) => one.id)) : null;
  } catch {
    return null;
  }
}

// Markdown as a tree; null if it cannot be had, and then the text stays as it is. The key is for a long text: without one
// nobody would read it.
export async function treeOf(text, key) {
  try {
    const response = await fetch("/console/playground/render", {
      method: "POST",
      headers: { accept: "application/json", ...lent(key) },
      body: new URLSearchParams({ text }),
    });
    return response.ok ? (await response.json()).nodes : null;
  } catch {
    return null;
  }
}

// What an error means and what helps: {nodes, doc}; null for one that is explained nowhere.
export async function explanationOf(code) {
  if (!code) return null;
  try {
    const response = await fetch(`/console/playground/errors/${encodeURIComponent(code)}`, { headers: { accept: "application/json" } });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
