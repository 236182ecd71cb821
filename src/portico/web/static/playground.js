// The playground: a conversation, its settings, and one call after the other. Its parts are in playground-*.js.

import { AnswerView } from "./playground-answer.js";
import { estimateOf } from "./playground-call.js";
import { Files, shown } from "./playground-files.js";
import { requestOf } from "./playground-ask.js";
import { keep, kept } from "./playground-kept.js";
import { copying } from "./house.js";
import * as settings from "./playground-settings.js";
import { made, say, usd } from "./playground-words.js";

const NEAR_PX = 64;  // Whoever has scrolled further up is reading, and is left there.
const PAUSE_MS = 500;

const at = (id) => document.getElementById(id);
const page = at("playground");

// -- the tail ---------------------------------------------------------------------------------------------------------------------

class Tail {
  constructor(below) {
    this.below = below;
    this.near = true;
    below.addEventListener("click", () => this.follow());
    addEventListener("scroll", () => {
      if (this.isNear()) this.below.hidden = true;
    }, { passive: true });
  }

  isNear() {
    const { scrollHeight, clientHeight, scrollTop } = document.scrollingElement;
    return scrollHeight - clientHeight - scrollTop < NEAR_PX;
  }

  before() {
    this.near = this.isNear();
  }

  after() {
    if (this.near) this.follow();
    else this.below.hidden = false;
  }

  follow() {
    document.scrollingElement.scrollTop = document.scrollingElement.scrollHeight;
    this.below.hidden = true;
  }
}

// -- the conversation -----------------------------------------------------------------------------------------------------------

class Conversation {
  constructor() {
    this.turns = [];
    this.log = at("pg-log");
    this.tail = new Tail(at("pg-below"));
    this.send = at("pg-send");
    this.stopButton = at("pg-stop");
    this.text = at("pg-text");
    this.files = new Files({
      list: at("pg-files"), input: at("pg-file"), button: at("pg-attach"), zone: page, text: this.text,
      most: Number(page.dataset.maxBytes) - 1e6, complain: (text) => this.status(text), changed: () => this.estimate(),
    });
    this.pause = 0;
    this.asking = null;
    this.telling = null;  // The answer whose state is told: an earlier one may still wait for its receipt.
    const before = kept();
    this.listen(before?.settings);
    try {
      if (before) this.restore(before);
    } catch {
      // Another version of this page kept it in another form: it begins anew.
      this.text.value = "";
      this.files.take();
      this.clear();
    }
  }

  // `before`: the settings as they stood when the page was left.
  listen(before) {
    at("pg-composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.say();
    });
    this.text.addEventListener("keydown", (event) => {
      // While characters are composed Enter chooses one; Safari ends composing before it tells of the key (229).
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.say();
    });
    this.text.addEventListener("input", () => this.estimate());
    this.stopButton.addEventListener("click", () => this.stop());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && !event.isComposing) this.stop();
    });
    at("pg-clear").addEventListener("click", () => this.clear());
    copying(at("pg-address"), settings.address, () => this.status(settings.address()));
    const changed = () => {
      at("pg-hold").textContent = "";  // It was of another key, or of another model.
      this.estimate();
    };
    settings.follow({ changed, offered: () => this.update() }, before);
    this.isReady = true;
    addEventListener("beforeunload", (event) => {
      if (!this.keep() || this.running().length) event.preventDefault();
    });
    addEventListener("pagehide", () => {
      this.stop();  // Its connection is cut behind the page; nobody shall read that it failed.
      this.keep();
    });
    // A tab that nobody looks at may be ended without a word.
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.keep();
    });
  }

  // -- what is found again in this tab

  keep() {
    const turns = this.turns.map(({ said, chosen, views }) => ({ said, chosen, views: views.map((view) => view.kept()) }));
    return keep({ settings: settings.kept(), text: this.text.value, files: this.files.files, turns });
  }

  restore({ text, files, turns }) {
    this.text.value = text;
    this.files.files = files;
    this.files.show();
    for (const { said, chosen, views } of turns) {
      const turn = this.begin(said);
      for (const one of views) {
        const view = this.answer(turn, { ...one.settings, model: settings.modelOf(one.settings.name) });
        view.restore(one);
        this.offerCalls(turn, view);
      }
      turn.chosen = chosen;
    }
    if (turns.length) this.tail.follow();
  }

  status(text) {
    at("pg-status").textContent = text;
  }

  running() {
    return this.turns.flatMap((turn) => turn.views).filter((view) => view.state === "running");
  }

  stop() {
    for (const view of this.running()) view.stop();
  }

  clear() {
    this.stop();
    this.turns = [];
    this.telling = null;
    for (const image of this.log.querySelectorAll('img[src^="blob:"]')) URL.revokeObjectURL(image.src);
    this.log.replaceChildren();
    this.status("");
    this.text.focus();
    this.update();
    this.keep();
  }

  // What was said before a turn: each turn, and the answer of it that the conversation goes on from.
  items(turns = this.turns) {
    return turns.flatMap((turn) => {
      const view = turn.views[turn.chosen];
      if (view && hasContent(view)) return [turn.said, { answer: wholeOf(view) }];
      return turn.said.results ? [turn.said] : [];  // What was not answered is as if it had not been said.
    });
  }

  // -- a turn

  async say() {
    await this.files.reading;
    if (this.running().length) return;
    const text = this.text.value.trim();
    const waiting = this.waiting();
    if (waiting) {
      this.status(say("results_first"));
      return;
    }
    if (!text && !this.files.files.length) {
      this.text.focus();
      return;
    }
    const asked = settings.read();
    if (!asked) {
      this.status(say("mend_settings"));
      return;
    }
    this.text.value = "";
    this.turn({ text, files: this.files.take() }, asked);
  }

  // The answer whose calls have no results yet.
  waiting() {
    const last = this.turns.at(-1);
    const view = last?.views[last.chosen];
    return view && view.state === "done" && view.answer.calls.length ? view : null;
  }

  turn(said, asked) {
    this.run(this.begin(said), asked);
  }

  begin(said) {
    this.turns.at(-1)?.views.forEach((view) => view.closeCalls());
    const answers = made("div", { class: "pg-answers" });
    const node = made("li", { class: "pg-turn" }, saidNode(said), answers);
    const turn = { said, views: [], chosen: 0, answers, node, items: [...this.items(), said] };
    this.turns.push(turn);
    this.log.append(node);
    this.tail.follow();
    return turn;
  }

  // One more answer of a turn, from which the conversation goes on.
  answer(turn, asked) {
    const view = new AnswerView({ settings: asked, items: turn.items, key: settings.keyOf() }, {
      before: () => this.tail.before(),
      after: () => this.tail.after(),
      status: (text) => {
        if (view === this.telling) this.status(text);
      },
      changed: () => this.update(),
    });
    this.telling = view;
    turn.views.push(view);
    turn.chosen = turn.views.length - 1;
    turn.answers.append(view.node);
    turn.node.classList.toggle("beside", turn.views.length > 1);
    return view;
  }

  async run(turn, asked) {
    const view = this.answer(turn, asked);
    this.tail.follow();
    this.status(say("status_answering", { model: asked.name }));
    this.update();
    await view.run();
    this.offerCalls(turn, view);
    await view.settle();
    this.update();
  }

  offerCalls(turn, view) {
    if (view.state !== "done" || !view.answer.calls.length || turn !== this.turns.at(-1)) return;
    view.showCalls((results) => {
      if (this.running().length) return;
      turn.chosen = turn.views.indexOf(view);
      this.turn({ results }, { ...view.asked.settings });
    });
  }

  // -- what can be done

  update() {
    const busy = this.running().length > 0;
    this.send.hidden = busy;
    this.stopButton.hidden = !busy;
    at("pg-clear").disabled = !this.turns.length;
    at("pg-empty").hidden = this.turns.length > 0;
    for (const turn of this.turns) {
      const isLast = turn === this.turns.at(-1);
      for (const [number, view] of turn.views.entries()) this.offer(turn, view, number, isLast && !busy);
    }
    this.estimate();
  }

  offer(turn, view, number, isOpen) {
    view.node.classList.toggle("chosen", turn.views.length > 1 && number === turn.chosen);
    view.actions.hidden = !isOpen || view.state === "running";
    // What stands there already may have the focus, or be open.
    const told = [turn.views.length > 1, number === turn.chosen, settings.listed].join(" ");
    if (view.actions.hidden || view.actions.dataset.told === told) return;
    view.actions.dataset.told = told;
    const again = small(say("again"), () => this.run(turn, view.asked.settings));
    const other = made("select", { "aria-label": say("other_model") }, made("option", { value: "" }, say("beside")));
    other.append(...[...document.querySelectorAll("#pg-model optgroup")].map((group) => group.cloneNode(true)));
    other.value = "";
    other.addEventListener("change", () => {
      const name = other.value;
      other.value = "";
      if (name) this.run(turn, { ...view.asked.settings, name, model: settings.modelOf(name) });
    });
    const parts = [again, other];
    if (turn.views.length > 1) {
      const choose = small(say(number === turn.chosen ? "going_on" : "go_on"), () => {
        turn.chosen = number;
        this.update();
      });
      choose.setAttribute("aria-pressed", String(number === turn.chosen));
      parts.push(choose);
    }
    const hadFocus = view.actions.contains(document.activeElement);
    view.actions.replaceChildren(...parts);
    if (hadFocus) parts.at(-1).focus();
  }

  // What the next call would hold, told before it is made.
  estimate() {
    if (!this.isReady) return;
    clearTimeout(this.pause);
    this.asking?.abort();
    const told = at("pg-hold");
    const text = this.text.value.trim();
    if ((!text && !this.files.files.length) || !settings.modelName() || !settings.keyOf()) {
      told.textContent = "";
      return;
    }
    if (this.waiting()) {
      told.textContent = say("results_first");
      return;
    }
    this.pause = setTimeout(async () => {
      const asking = (this.asking = new AbortController());
      const said = { text, files: this.files.files };
      const found = await estimateOf(requestOf(settings.current(), [...this.items(), said]), settings.keyOf(), asking.signal);
      if (asking.signal.aborted) return;
      told.textContent = heldWords(found);
    }, PAUSE_MS);
  }
}

function heldWords(found) {
  if (!found) return "";
  if (found.failure) return say("would_fail", { reason: found.failure.message });
  const held = say("holds", { sum: usd(found.nanos) });
  return found.covered ? held : `${held} ${say("not_covered")}`;
}

function hasContent({ answer, state }) {
  return Boolean(answer.text || (state === "done" && (answer.raw || answer.calls.length)));
}

// An answer that was stopped is what it said: half a call, or a thought without its seal, is none.
function wholeOf({ answer, state }) {
  return state === "done" ? answer : { ...answer, raw: null, calls: [] };
}

function small(text, act) {
  const button = made("button", { type: "button", class: "button small" }, text);
  button.addEventListener("click", act);
  return button;
}

function saidNode(said) {
  if (said.results) {
    const lines = said.results.map((one) => made("p", {}, made("code", {}, one.name), " → ", made("code", {}, one.text)));
    return made("div", { class: "pg-said" }, made("p", { class: "pg-who" }, say("results")), ...lines);
  }
  const files = said.files.length ? [made("ul", { class: "pg-files" }, ...said.files.map((file) => made("li", {}, shown(file))))] : [];
  return made("div", { class: "pg-said" }, made("p", { class: "pg-who" }, say("you")), ...files, made("p", { class: "pg-mine" }, said.text));
}

if (page) {
  for (const part of [page, at("pg-address"), at("pg-clear")]) part.hidden = false;
  at("pg-without").hidden = true;
  if (matchMedia("(max-width: 60rem)").matches) at("pg-drawer").open = false;
  new Conversation().update();
}
