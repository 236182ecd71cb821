// The drawer: what is asked of whom. It is read when a message is sent; tools and schema are looked at while they are written.

import { modelsOf } from "./playground-call.js";
import { made, say, whole } from "./playground-words.js";

const page = document.getElementById("playground");
const form = document.getElementById("pg-settings");
const field = (name) => form.elements.namedItem(name);
const MODELS = new Map(JSON.parse(page?.dataset.models ?? "[]").map((one) => [one.name, one]));
const NAME = /^[A-Za-z_][\w.:-]{0,127}$/;
// Of an address: never the text, the tools or the schema.
const SHARED = ["model", "dialect", "temperature", "longest", "effort", "thoughts"];
export const OTHER = "*";

export function modelName() {
  return field("model").value === OTHER ? field("other").value.trim() : field("model").value;
}

export const keyOf = () => field("key").value;
export const modelOf = (name) => MODELS.get(name);

// The settings as they stand, or null where a field is wrong: then it has the focus.
export function read() {
  const wrong = [...form.querySelectorAll("[aria-invalid=true], :invalid")][0];
  if (wrong || !modelName()) {
    form.closest("details").open = true;
    (wrong ?? field("other")).focus();
    return null;
  }
  return current();
}

export function current() {
  const name = modelName();
  return {
    name,
    model: modelOf(name),
    dialect: field("dialect").value,
    system: field("system").value.trim(),
    temperature: field("temperature").value,
    longest: field("longest").value,
    effort: field("effort").value,
    thoughts: field("thoughts").checked,
    tools: toolsIn(field("tools").value).tools,
    schema: schemaIn(field("schema").value).schema,
  };
}

// -- tools, schema --------------------------------------------------------------------------------------------------------------

// Functions, as any of the APIs writes them: {name, description, parameters}. Empty: null.
export function toolsIn(text) {
  if (!text.trim()) return { tools: null };
  let told;
  try {
    told = JSON.parse(text);
  } catch (error) {
    return { tools: null, wrong: say("not_json", { reason: error.message }) };
  }
  const listed = (Array.isArray(told) ? told : [told]).flatMap((one) => one?.functionDeclarations ?? one?.function ?? one);
  const tools = [];
  for (const [at, one] of listed.entries()) {
    const parameters = one?.parameters ?? one?.input_schema ?? one?.parametersJsonSchema ?? one?.inputSchema;
    if (one === null || typeof one !== "object" || !NAME.test(one.name ?? "")) return { tools: null, wrong: say("tool_name", { n: at + 1 }) };
    if (parameters !== undefined && !isObject(parameters)) return { tools: null, wrong: say("tool_parameters", { name: one.name }) };
    tools.push({ name: one.name, ...(one.description ? { description: String(one.description) } : {}), parameters: parameters ?? { type: "object", properties: {} } });
  }
  const names = tools.map((one) => one.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice) return { tools: null, wrong: say("tool_twice", { name: twice }) };
  return { tools: tools.length ? tools : null };
}

// A JSON Schema of an answer. Empty: null.
export function schemaIn(text) {
  if (!text.trim()) return { schema: null };
  let schema;
  try {
    schema = JSON.parse(text);
  } catch (error) {
    return { schema: null, wrong: say("not_json", { reason: error.message }) };
  }
  return isObject(schema) && (schema.type || schema.properties || schema.anyOf || schema.$ref) ? { schema } : { schema: null, wrong: say("not_schema") };
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

function check(name, judge) {
  const area = field(name);
  const help = document.getElementById(`pg-${name}-told`);
  const { wrong } = judge(area.value);
  area.setAttribute("aria-invalid", String(Boolean(wrong)));
  area.closest(".field").classList.toggle("wrong", Boolean(wrong));
  help.textContent = wrong ?? help.dataset.help;
  help.className = wrong ? "error" : "help";
}

// -- the model that is chosen, and what it can ---------------------------------------------------------------------------------

function showModel() {
  field("other").closest(".field").hidden = field("model").value !== OTHER;
  const model = modelOf(modelName());
  const told = document.getElementById("pg-able");
  if (!model) {
    told.textContent = say("model_unknown");
    return;
  }
  const words = (names) => names.map((name) => say(`mode_${name}`)).join(document.documentElement.lang.startsWith("zh") ? "、" : ", ");
  const lines = [
    say("takes", { modes: words(model.takes) }),
    say("makes", { modes: words(model.makes) }),
    model.tools ? say("can_tools") : "",
    model.schema ? say("can_schema") : "",
    model.thinks === "none" ? "" : say("can_think"),
    say("window", { n: whole(model.window) }),
  ];
  told.replaceChildren(...lines.filter(Boolean).map((line) => made("li", {}, line)));
  field("temperature").disabled = !model.temperature;
  field("effort").disabled = model.thinks === "none";
}

export let listed = "";  // The key whose models are offered.

// Only models that the key may ask are offered: the one that is chosen by now.
async function showAllowed() {
  const key = keyOf();
  const names = key ? await modelsOf(key) : null;
  if (key !== keyOf()) return;
  listed = key;
  for (const option of field("model").querySelectorAll("option")) {
    option.hidden = option.disabled = names !== null && option.value !== OTHER && !names.has(option.value);
  }
  const chosen = field("model").selectedOptions[0];
  if (chosen?.disabled) field("model").value = [...field("model").options].find((one) => !one.disabled)?.value ?? OTHER;
  showModel();
}

// -- the address ------------------------------------------------------------------------------------------------------------------

export function address() {
  const told = new URLSearchParams();
  for (const name of SHARED) {
    const value = name === "model" ? modelName() : name === "thoughts" ? (field(name).checked ? "" : "no") : field(name).value;
    if (value && !(name === "dialect" && value === "openai_chat")) told.set(name, value);
  }
  return `${location.origin}${location.pathname}?${told}`;
}

function fromAddress() {
  const told = new URLSearchParams(location.search);
  for (const name of ["dialect", "temperature", "longest", "effort"]) {
    const value = told.get(name);
    if (value === null) continue;
    const before = field(name).value;
    field(name).value = value;
    if (!field(name).checkValidity() || field(name).value === "") field(name).value = before;
  }
  if (told.get("thoughts") === "no") field("thoughts").checked = false;
}

// -- what is found again in this tab

const KEPT = ["key", "model", "other", "dialect", "system", "temperature", "longest", "effort", "thoughts", "tools", "schema"];
const idOf = (key) => key.split(".")[0];

// Of a key its id: the seal is of one session.
export function kept() {
  const told = Object.fromEntries(KEPT.map((name) => [name, field(name).value]));
  return { ...told, key: idOf(keyOf()), thoughts: field("thoughts").checked, address: location.search };
}

// Whether this is the page that was left, loaded again or come back to, and not one that a link leads to.
const isSame = (before) => before?.address === location.search && performance.getEntriesByType("navigation")[0].type !== "navigate";

function restore({ thoughts, key, address, ...told }, isOwn) {
  field("thoughts").checked = thoughts;
  if (!isOwn && new URLSearchParams(location.search).has("model")) {
    delete told.model;
    delete told.other;
  }
  told.key = [...field("key").options].find((one) => idOf(one.value) === key)?.value;
  for (const [name, value] of Object.entries(told)) {
    const before = field(name).value;
    field(name).value = value ?? before;
    if (field(name).selectedIndex === -1) field(name).value = before;
  }
  check("tools", toolsIn);
  check("schema", schemaIn);
}

// `changed`: told of what is written and chosen; `offered`: of other models to choose from. `before`: what was kept.
export function follow({ changed, offered }, before) {
  const isOwn = isSame(before);
  if (before) restore(before, isOwn);
  if (!isOwn) fromAddress();
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    const { name } = event.target;
    if (name === "tools") check("tools", toolsIn);
    if (name === "schema") check("schema", schemaIn);
    if (name === "model" || name === "other") showModel();
    changed();
  });
  field("key").addEventListener("change", () => showAllowed().then(offered));
  showModel();
  showAllowed().then(offered);
}
