// Text that grows, in one node; blocks of it that are finished are set as Markdown by the server and built here of a tree.
// No markup is ever parsed in the page.

import { copying } from "./house.js";
import { treeOf } from "./playground-call.js";
import { made } from "./playground-words.js";

const TAGS = new Set([
  ..."p h3 h4 h5 h6 ul ol li blockquote strong em s table thead tbody tr th td a div pre code span br hr img".split(" "),
]);
const ATTRIBUTES = new Set(["class", "start", "href", "src", "alt"]);

export function nodesOf(tree) {
  return tree.map((one) => (typeof one === "string" ? document.createTextNode(one) : elementOf(one)));
}

function elementOf([tag, attributes, ...content]) {
  const node = document.createElement(TAGS.has(tag) ? tag : "span");
  for (const [name, value] of Object.entries(attributes)) {
    if (!ATTRIBUTES.has(name)) continue;
    if (name === "href" && !/^(https?|mailto):/i.test(value)) continue;
    if (name === "src" && !/^data:image\//i.test(value)) continue;
    node.setAttribute(name, value);
  }
  if (tag === "a") {
    node.rel = "noopener noreferrer nofollow";
    node.target = "_blank";
  }
  if (tag === "table") return made("div", { class: "scroll", tabindex: "0" }, filled(node, content));
  if (tag === "pre") node.tabIndex = 0;
  filled(node, content);
  if (attributes.class === "code") node.append(copyButton(node.querySelector("code")));
  return node;
}

function copyButton(code) {
  const button = made("button", { class: "copy" }, document.documentElement.dataset.copy);
  return copying(button, () => code.innerText, () => getSelection().selectAllChildren(code));
}

function filled(node, content) {
  node.append(...nodesOf(content));
  return node;
}

const MOST_AT_ONCE = 32_000;  // Characters that the server sets.

// How much of a text is finished: up to the last empty line outside of a fence that no list or quote goes on behind, or up
// to an earlier one where that is more than is set at once.
export function finished(text) {
  let fence = "";
  let end = 0;
  let at = 0;
  let empty = false;
  for (const line of text.split("\n")) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (!fence && empty && /^[^\s>*+\-\d]/.test(line)) {
      if (end && at > MOST_AT_ONCE) return end;
      end = at;
    }
    if (mark && !fence) fence = mark;
    else if (mark && mark[0] === fence[0] && mark.length >= fence.length && line.trim() === mark) fence = "";
    empty = !fence && line.trim() === "";
    at += line.length + 1;
  }
  return end;
}

export class Text {
  constructor(key) {
    this.key = key;
    this.node = made("div", { class: "pg-text prose" });
    this.tail = document.createTextNode("");
    this.plain = made("div", { class: "pg-tail" }, this.tail);
    this.node.append(this.plain);
    this.busy = null;
    this.blocks = [];  // What is set: {text, tree}.
  }

  // The blocks of a text as they were set, and what was left of it.
  restore(text, blocks) {
    for (const block of blocks) this.show(block);
    this.tail.appendData(text.slice(blocks.reduce((sum, one) => sum + one.text.length, 0)));
  }

  add(text) {
    this.tail.appendData(text);
    if (!this.busy && text.includes("\n")) {
      const end = finished(this.tail.data);
      if (end) this.busy = this.set(end);
    }
  }

  // All that is left is set.
  async end() {
    await this.busy;
    while (this.tail.length) {
      const { length } = this.tail;
      await this.set(length > MOST_AT_ONCE ? finished(this.tail.data) || length : length);
    }
    this.plain.remove();
  }

  async set(length) {
    const text = this.tail.data.slice(0, length);
    this.show({ text, tree: await treeOf(text, this.key) });
    this.tail.deleteData(0, length);
    this.busy = null;
  }

  show(block) {
    this.blocks.push(block);
    this.plain.before(...(block.tree ? nodesOf(block.tree) : [made("div", { class: "pg-plain" }, block.text)]));
  }
}
