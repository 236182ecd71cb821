// One answer, as it comes and as it stands: thoughts apart, text, pictures, calls, what it cost, what went wrong.

import { explanationOf, receiptOf, stream } from "./playground-call.js";
import { CLIENTS, codeOf } from "./playground-code.js";
import { blobUrl } from "./playground-files.js";
import { nodesOf, Text } from "./playground-markdown.js";
import { newAnswer, readerOf } from "./playground-read.js";
import { requestOf } from "./playground-ask.js";
import { copying } from "./house.js";
import { made, say, usd, whole } from "./playground-words.js";

const MOST_SHOWN = 200_000;  // Characters of JSON or code that are put into the page at once.
const BESIDE = { target: "_blank", rel: "noopener" };  // The conversation stays open.
const root = document.documentElement;

export class AnswerView {
  // `asked`: {settings, items, key}. `page`: what it tells of itself: changed(view), status(text), before() and after().
  constructor(asked, page) {
    this.asked = asked;
    this.page = page;
    this.request = requestOf(asked.settings, asked.items);
    this.answer = newAnswer(this.request, asked.settings.name);
    this.events = [];
    this.id = "";
    this.cost = null;
    this.results = [];
    this.state = "running";
    this.stopping = new AbortController();
    this.text = new Text(asked.key);
    this.thoughts = document.createTextNode("");
    this.folded = made("details", { class: "pg-thoughts", hidden: true }, made("summary", {}, say("thoughts")), made("div", {}, this.thoughts));
    this.images = made("div", { class: "pg-images", hidden: true });
    this.calls = made("div", { class: "pg-calls", hidden: true });
    this.wrong = made("div", { class: "pg-wrong note note-bad", hidden: true });
    this.foot = made("p", { class: "pg-foot" }, say("waiting"));
    this.actions = made("div", { class: "pg-actions", hidden: true });
    this.more = made("div", { class: "pg-more" });
    const head = made("p", { class: "pg-who" }, made("strong", {}, asked.settings.name), ` · ${say(asked.settings.dialect)}`);
    this.node = made("article", { class: "pg-answer", "aria-label": asked.settings.name }, head, this.folded, this.text.node, this.images, this.calls, this.wrong, this.foot, this.actions, this.more);
  }

  async run() {
    const { answer } = this;
    const reader = readerOf(answer);
    const { failure } = await stream(this.request, this.asked.key, {
      signal: this.stopping.signal,
      onId: (id, headers) => {
        this.id = id;
        this.simulated = headers.get("x-portico-simulated") === "1";
      },
      onEvent: (event) => {
        this.events.push(event);
        if (!this.stopping.signal.aborted) this.told(reader, event);
      },
    });
    reader.close();
    const stopped = this.stopping.signal.aborted;
    answer.failure = failure ?? answer.failure ?? (stopped || answer.ended ? null : { status: 0, code: "upstream_incomplete", message: say("cut_off"), doc: "" });
    this.state = stopped ? "stopped" : answer.failure ? "failed" : "done";
    this.page.changed(this);
    await this.text.end();
  }

  stop() {
    this.stopping.abort();
  }

  // What of it is found again in this tab. Of one that is left while it runs nobody reads the rest: it was stopped.
  kept() {
    const { events, id, simulated, cost, answer } = this;
    const { model: _, ...settings } = this.asked.settings;
    return {
      settings, events, id, simulated, blocks: this.text.blocks, failure: answer.failure, usage: answer.usage,
      results: [...this.calls.querySelectorAll("textarea")].map((field) => field.value),
      state: this.state === "running" ? "stopped" : this.state,
      cost: cost && { charge: cost.charge, receipt: cost.receipt && { flags: cost.receipt.flags } },
    };
  }

  async restore({ events, id, simulated, blocks, failure, usage, results = [], state, cost }) {
    const { answer } = this;
    Object.assign(this, { events, id, simulated, results, state, cost });
    const reader = readerOf(answer);
    for (const event of events) reader.feed(event);
    reader.close();
    Object.assign(answer, { failure, usage });
    this.text.restore(answer.text, blocks);
    this.thoughts.appendData(answer.thoughts);
    this.folded.hidden = !answer.thoughts;
    for (const image of answer.images) this.image(image);
    if (failure) this.fail(failure);
    this.showMore();
    this.showFoot();
    await this.text.end();
    if (this.cost || !id) return;
    this.cost = await receiptOf(id, this.asked.key);
    answer.usage ??= usageOf(this.cost?.receipt?.usage);
    this.showFoot();
  }

  told(reader, event) {
    const { answer } = this;
    const before = { text: answer.text.length, thoughts: answer.thoughts.length, images: answer.images.length };
    reader.feed(event);
    this.page.before();
    if (answer.text.length > before.text) this.text.add(answer.text.slice(before.text));
    if (answer.thoughts.length > before.thoughts) {
      this.thoughts.appendData(answer.thoughts.slice(before.thoughts));
      this.folded.hidden = false;
    }
    for (const image of answer.images.slice(before.images)) this.image(image);
    if (answer.usage) this.foot.textContent = tokens(answer.usage);
    else if (answer.text || answer.thoughts || answer.images.length) this.foot.textContent = "";
    this.page.after();
  }

  image(address) {
    const url = blobUrl(address);
    if (!url) {
      this.images.append(made("span", { class: "quiet" }, say("image_elsewhere")));
    } else {
      const name = `image-${this.images.childElementCount + 1}.${address.slice(11).split(";")[0]}`;
      this.images.append(made("a", { href: url, download: name, title: say("download") }, made("img", { src: url, alt: say("made_image") })));
    }
    this.images.hidden = false;
  }

  // What it cost, by its receipt, which may come late.
  async settle() {
    const { answer, id } = this;
    if (answer.failure) this.fail(answer.failure);
    this.showMore();
    this.foot.textContent = [answer.usage ? tokens(answer.usage) : "", say("settling")].filter(Boolean).join(" · ");
    this.page.status(this.summary(say("settling")));
    this.page.after();
    this.cost = id ? await receiptOf(id, this.asked.key) : null;
    if (answer.failure?.refused) this.cost ??= { charge: 0, receipt: null };  // No error that comes instead of an answer is charged.
    answer.usage ??= usageOf(this.cost?.receipt?.usage);
    this.showFoot();
    this.page.status(this.summary(this.costWords()));
    this.page.after();
  }

  summary(cost) {
    const said = { done: "status_done", stopped: "status_stopped", failed: "status_failed" }[this.state];
    return say(said, { tokens: whole(this.answer.usage?.output ?? 0), cost });
  }

  costWords() {
    if (!this.cost) return say("cost_unknown");
    if (this.cost.charge === 0) return say("not_charged");
    const flags = ["estimated", "partial"].filter((one) => this.cost.receipt?.flags?.includes(one)).map((one) => say(one));
    return [usd(this.cost.charge), ...flags].join(", ");
  }

  showFoot() {
    const { answer, cost, id } = this;
    const parts = [];
    if (answer.usage) parts.push(tokens(answer.usage));
    if (answer.finish && this.state === "done") parts.push(answer.finish);
    if (this.state === "stopped") parts.push(say(cost ? "stopped_cost" : "stopped_unknown", { cost: this.costWords() }));
    else parts.push(this.costWords());
    this.foot.replaceChildren(parts.join(" · "));
    if (cost?.receipt) this.foot.append(" · ", made("a", { href: `/console/receipts/${encodeURIComponent(id)}`, ...BESIDE }, say("receipt")));
    if (this.simulated) this.foot.append(" · ", made("span", { class: "tag" }, say("simulated")));
    if (this.charged) this.charged.textContent = this.costWords();
  }

  fail({ code, message, doc, status }) {
    this.charged = made("span", {}, say("settling"));
    const title = made("p", {}, made("strong", {}, say("failed")), " ", code ? made("code", {}, code) : "", status ? ` · ${status}` : "");
    const help = made("div", { class: "pg-help" });
    this.wrong.replaceChildren(title, made("p", { class: "pg-cause" }, message), made("p", {}, say("charged"), root.lang.startsWith("zh") ? "" : " ", this.charged), help);
    this.wrong.hidden = false;
    const link = (href) => made("p", {}, made("a", { href, ...BESIDE }, say("read_more")));
    explanationOf(code).then((found) => {
      if (found) help.replaceChildren(...nodesOf(found.nodes), link(found.doc));
      else if (doc.startsWith("/")) help.replaceChildren(link(doc));
    });
    if (status === 401) this.wrong.append(made("p", {}, made("a", { href: location.pathname + location.search }, say("open_again"))));
  }

  // The calls of tools, each with a field for its result. `go` is given the results.
  showCalls(go) {
    const { calls } = this.answer;
    const fields = calls.map((call, at) => {
      const area = made("textarea", { rows: "2", class: "mono", spellcheck: "false", "aria-label": say("result_of", { name: call.name }) }, this.results[at] ?? "");
      const told = made("pre", { tabindex: "0" }, made("code", {}, pretty(call.args)));
      this.calls.append(made("div", { class: "pg-call" }, made("p", {}, say("calls"), " ", made("code", {}, call.name)), told, area));
      return area;
    });
    const button = made("button", { type: "submit", class: "button small" }, say("give_results"));
    const form = made("form", {}, ...this.calls.childNodes, button);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      go(calls.map((call, at) => ({ id: call.id, name: call.name, text: fields[at].value })));
    });
    this.calls.replaceChildren(form);
    this.calls.hidden = false;
  }

  closeCalls() {
    for (const part of this.calls.querySelectorAll("textarea, button")) part.disabled = true;
  }

  // -- what was sent and what came, and the same as code: written when it is opened

  showMore() {
    const sent = () => `POST ${this.request.path}\n\n${JSON.stringify(this.request.body, null, 2)}`;
    const came = () => this.events.map((one) => JSON.stringify(one, null, 2)).join("\n\n");
    const code = CLIENTS.map(({ id, title, dialect }) => folded(title, () => this.code(id, dialect)));
    const tabs = made("div", { class: "tabs" }, ...code.map((one, at) => tab(one, `code-${this.number}`, at === 0)));
    this.more.replaceChildren(
      folded(say("sent"), sent),
      folded(say("received"), came),
      made("details", { class: "pg-fold pg-code" }, made("summary", {}, say("as_code")), tabs),
    );
    this.more.lastChild.addEventListener("toggle", (event) => {
      if (event.target.open) tabs.querySelector("details[open]")?.dispatchEvent(new Event("toggle"));
    }, { once: true });
  }

  code(client, dialectOf) {
    const { settings, items } = this.asked;
    const dialect = dialectOf(settings.dialect) ?? settings.dialect;
    const request = dialect === settings.dialect ? this.request : requestOf({ ...settings, dialect }, items);
    return codeOf(client, request, location.origin);
  }

  get number() {
    return (this.its ??= (AnswerView.last = (AnswerView.last ?? 0) + 1));
  }
}

// An answer that was cut off told nothing of its tokens; its receipt does.
function usageOf(counted) {
  if (!counted) return null;
  const sum = (...names) => names.flatMap((name) => Object.values(counted[name] ?? {})).reduce((all, one) => all + one, 0);
  const thoughts = sum("output_reasoning");
  const cached = sum("input_cache_read");
  return { input: sum("input_uncached", "input_cache_write", "input_tool") + cached, output: sum("output_visible") + thoughts, cached, thoughts };
}

function tokens(usage) {
  const parts = [say("tokens", { input: whole(usage.input), output: whole(usage.output) })];
  if (usage.cached) parts.push(say("tokens_cached", { n: whole(usage.cached) }));
  if (usage.thoughts) parts.push(say("tokens_thoughts", { n: whole(usage.thoughts) }));
  return parts.join(" · ");
}

function pretty(args) {
  try {
    return JSON.stringify(JSON.parse(args), null, 2);
  } catch {
    return args;
  }
}

function folded(title, write) {
  const code = made("code", {});
  const node = made("details", { class: "pg-fold" }, made("summary", {}, title), made("div", { class: "code" }, made("pre", { tabindex: "0", role: "region", "aria-label": title }, code)));
  let text = null;
  const all = () => (text ??= write());
  node.addEventListener("toggle", () => {
    if (code.firstChild) return;
    const told = all();
    code.textContent = told.length > MOST_SHOWN ? `${told.slice(0, MOST_SHOWN)}…` : told;
  });
  const button = made("button", { class: "copy" }, root.dataset.copy);
  node.querySelector(".code").append(copying(button, all, () => getSelection().selectAllChildren(code)));
  return node;
}

// Folds beside each other, of which one is open.
function tab(node, name, open) {
  node.className = "tab";
  node.setAttribute("name", name);
  node.open = open;
  return node;
}
