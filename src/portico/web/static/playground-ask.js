// What is asked, as exactly the request of each API. Nothing is put in that the page does not show.
//
//   settings   model, name, dialect, system, temperature, longest, effort, thoughts, tools, schema
//   items      the conversation: {text, files}, {results: [{id, name, text}]} and {answer}, in their order
//
// An answer goes back as it came (raw) to the model that gave it, so that its signatures are kept; to others as what it says.

export const DIALECTS = ["openai_chat", "openai_responses", "anthropic_messages", "gemini"];
const WITHOUT_LIMIT = 8192;  // Messages wants a limit in every request.
const BUDGETS = { minimal: 1024, low: 2048, medium: 8192, high: 16384, xhigh: 24576, max: 32768 };
const LEVELS = ["minimal", "low", "medium", "high", "xhigh", "max"];

export function requestOf(settings, items) {
  return ASK[settings.dialect](settings, items);
}

export function defaultLimit(settings) {
  return settings.dialect === "anthropic_messages" ? Math.min(WITHOUT_LIMIT, settings.model?.longest ?? WITHOUT_LIMIT) : null;
}

const isRaw = (settings, answer) => answer.raw !== null && answer.dialect === settings.dialect && answer.name === settings.name;
const dataUrl = (file) => `data:${file.mime};base64,${file.data}`;
const isImage = (file) => file.mime.startsWith("image/");
const makesImages = (settings) => settings.model?.makes.includes("image") ?? false;
const given = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
const number = (text) => (text === "" ? undefined : Number(text));

function parsedOr(text, otherwise) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : otherwise(value);
  } catch {
    return otherwise(text);
  }
}

// OpenAI holds an answer strictly to a schema only if every object of it is closed and says all its properties.
function isClosed(schema) {
  if (schema === null || typeof schema !== "object") return true;
  if (Array.isArray(schema)) return schema.every(isClosed);
  if (schema.properties) {
    const names = Object.keys(schema.properties);
    if (schema.additionalProperties !== false || !names.every((name) => schema.required?.includes(name))) return false;
  }
  return Object.values(schema).every(isClosed);
}

// -- OpenAI: Chat Completions ---------------------------------------------------------------------------------------------

function chat(settings, items) {
  const messages = settings.system ? [{ role: "system", content: settings.system }] : [];
  for (const item of items) {
    if (item.answer) messages.push(isRaw(settings, item.answer) ? item.answer.raw : chatAnswer(item.answer));
    else if (item.results) messages.push(...item.results.map((one) => ({ role: "tool", tool_call_id: one.id, content: one.text })));
    else messages.push({ role: "user", content: item.files.length ? chatParts(item) : item.text });
  }
  const body = given({
    model: settings.name,
    messages,
    stream: true,
    stream_options: { include_usage: true },
    temperature: number(settings.temperature),
    [settings.model?.field ?? "max_tokens"]: number(settings.longest),
    reasoning_effort: settings.effort || undefined,
    // A provider that speaks Chat itself gets these bytes, and knows no such field.
    include_reasoning: settings.thoughts && !settings.model?.speaks.includes("openai_chat") ? true : undefined,
    modalities: makesImages(settings) ? ["text", "image"] : undefined,
    tools: settings.tools?.map((one) => ({ type: "function", function: one })),
    response_format: settings.schema && {
      type: "json_schema",
      json_schema: { name: "answer", strict: isClosed(settings.schema), schema: settings.schema },
    },
  });
  return { dialect: "openai_chat", path: "/v1/chat/completions", headers: makesImages(settings) ? { "x-portico-image-form": "images" } : {}, body };
}

function chatAnswer(answer) {
  const calls = answer.calls.map((one) => ({ id: one.id, type: "function", function: { name: one.name, arguments: one.args } }));
  return given({ role: "assistant", content: answer.text || null, tool_calls: calls.length ? calls : undefined });
}

function chatParts({ text, files }) {
  const parts = files.map((file) => (isImage(file)
    ? { type: "image_url", image_url: { url: dataUrl(file) } }
    : { type: "file", file: { filename: file.name, file_data: dataUrl(file) } }));
  return text ? [...parts, { type: "text", text }] : parts;
}

// -- OpenAI: Responses ------------------------------------------------------------------------------------------------------

function responses(settings, items) {
  const input = [];
  for (const item of items) {
    if (item.answer) input.push(...(isRaw(settings, item.answer) ? item.answer.raw : responsesAnswer(item.answer)));
    else if (item.results) input.push(...item.results.map((one) => ({ type: "function_call_output", call_id: one.id, output: one.text })));
    else input.push({ role: "user", content: item.files.length ? responsesParts(item) : item.text });
  }
  const reasoning = given({ effort: settings.effort || undefined, summary: settings.thoughts ? "auto" : undefined });
  const body = given({
    model: settings.name,
    instructions: settings.system || undefined,
    input,
    stream: true,
    // Nothing of it is kept at the provider; so its thoughts come sealed, to be given back.
    store: false,
    include: settings.model?.thinks === "none" ? undefined : ["reasoning.encrypted_content"],
    temperature: number(settings.temperature),
    max_output_tokens: number(settings.longest),
    reasoning: Object.keys(reasoning).length && settings.model?.thinks !== "none" ? reasoning : undefined,
    tools: settings.tools?.map((one) => ({ type: "function", ...one, strict: false })),
    text: settings.schema && { format: { type: "json_schema", name: "answer", strict: isClosed(settings.schema), schema: settings.schema } },
  });
  return { dialect: "openai_responses", path: "/v1/responses", headers: {}, body };
}

function responsesAnswer(answer) {
  const calls = answer.calls.map((one) => ({ type: "function_call", call_id: one.id, name: one.name, arguments: one.args }));
  return answer.text ? [{ role: "assistant", content: answer.text }, ...calls] : calls;
}

function responsesParts({ text, files }) {
  const parts = files.map((file) => (isImage(file)
    ? { type: "input_image", image_url: dataUrl(file) }
    : { type: "input_file", filename: file.name, file_data: dataUrl(file) }));
  return text ? [...parts, { type: "input_text", text }] : parts;
}

// -- Anthropic: Messages ----------------------------------------------------------------------------------------------------

function messages(settings, items) {
  const told = [];
  for (const item of items) {
    if (item.answer) told.push(isRaw(settings, item.answer) ? item.answer.raw : messagesAnswer(item.answer));
    else if (item.results) told.push({ role: "user", content: item.results.map((one) => ({ type: "tool_result", tool_use_id: one.id, content: one.text })) });
    else told.push({ role: "user", content: item.files.length ? messagesParts(item) : item.text });
  }
  const limit = number(settings.longest) ?? defaultLimit(settings);
  const config = given({
    effort: isAdaptive(settings) && settings.effort && settings.effort !== "none" ? settings.effort : undefined,
    format: settings.schema && { type: "json_schema", schema: settings.schema },
  });
  const body = given({
    model: settings.name,
    max_tokens: limit,
    system: settings.system || undefined,
    messages: told,
    stream: true,
    temperature: number(settings.temperature),
    thinking: messagesThinking(settings, limit),
    output_config: Object.keys(config).length ? config : undefined,
    tools: settings.tools?.map(({ name, description, parameters }) => given({ name, description, input_schema: parameters ?? { type: "object" } })),
  });
  return { dialect: "anthropic_messages", path: "/v1/messages", headers: { "anthropic-version": "2023-06-01" }, body };
}

// Whoever is no Claude is asked in Claude's newest words, and Portico translates them.
const isAdaptive = ({ model }) => !model?.speaks.includes("anthropic_messages") || model.adaptive;

function messagesThinking(settings, limit) {
  if (settings.effort === "none") return { type: settings.model?.off ?? "disabled" };
  if ((!settings.effort && !settings.thoughts) || settings.model?.thinks === "none") return undefined;
  if (isAdaptive(settings)) return { type: "adaptive", display: settings.thoughts ? "summarized" : "omitted" };
  const most = Math.min(settings.model.budget[1] || limit, limit - 1024);
  return most < 1024 ? undefined : { type: "enabled", budget_tokens: Math.min(BUDGETS[settings.effort || "medium"], most) };
}

function messagesAnswer(answer) {
  const calls = answer.calls.map((one) => ({ type: "tool_use", id: one.id, name: one.name, input: parsedOr(one.args, () => ({})) }));
  return { role: "assistant", content: answer.text ? [{ type: "text", text: answer.text }, ...calls] : calls };
}

function messagesParts({ text, files }) {
  const parts = files.map((file) => ({ type: isImage(file) ? "image" : "document", source: { type: "base64", media_type: file.mime, data: file.data } }));
  return text ? [...parts, { type: "text", text }] : parts;
}

// -- Google: Gemini ---------------------------------------------------------------------------------------------------------

function gemini(settings, items) {
  const contents = [];
  for (const item of items) {
    if (item.answer) contents.push(isRaw(settings, item.answer) ? item.answer.raw : geminiAnswer(item.answer));
    else if (item.results) contents.push({ role: "user", parts: item.results.map(geminiResult) });
    else contents.push({ role: "user", parts: geminiParts(item) });
  }
  const thinking = given({
    includeThoughts: settings.thoughts && settings.model?.thinks !== "none" ? true : undefined,
    ...geminiAmount(settings),
  });
  const config = given({
    temperature: number(settings.temperature),
    maxOutputTokens: number(settings.longest),
    thinkingConfig: Object.keys(thinking).length ? thinking : undefined,
    responseModalities: makesImages(settings) ? ["TEXT", "IMAGE"] : undefined,
    responseMimeType: settings.schema ? "application/json" : undefined,
    responseJsonSchema: settings.schema,
  });
  const body = given({
    systemInstruction: settings.system ? { parts: [{ text: settings.system }] } : undefined,
    contents,
    tools: settings.tools && [{ functionDeclarations: settings.tools.map(({ name, description, parameters }) => given({ name, description, parametersJsonSchema: parameters })) }],
    generationConfig: Object.keys(config).length ? config : undefined,
  });
  const path = `/v1beta/models/${settings.name.split("/").map(encodeURIComponent).join("/")}:streamGenerateContent?alt=sse`;
  return { dialect: "gemini", path, model: settings.name, headers: {}, body };
}

// A budget where the model has one; else the level that it has and that is nearest, for no other is understood.
function geminiAmount({ effort, model }) {
  if (!effort || model?.thinks === "none") return {};
  if (model?.thinks === "budget") return { thinkingBudget: effort === "none" ? 0 : Math.min(BUDGETS[effort], model.budget[1] || BUDGETS[effort]) };
  const wanted = Math.max(0, LEVELS.indexOf(effort));
  const known = (model?.speaks.includes("gemini") ? model.levels : []).map((one) => LEVELS.indexOf(one)).filter((one) => one >= 0);
  const there = known.length ? known : [0, 1, 2, 3];
  const nearest = there.reduce((best, one) => (Math.abs(one - wanted) < Math.abs(best - wanted) ? one : best));
  return { thinkingLevel: LEVELS[nearest].toUpperCase() };
}

function geminiAnswer(answer) {
  const calls = answer.calls.map((one) => ({ functionCall: { id: one.id, name: one.name, args: parsedOr(one.args, () => ({})) } }));
  return { role: "model", parts: answer.text ? [{ text: answer.text }, ...calls] : calls };
}

function geminiResult(one) {
  return { functionResponse: given({ id: one.id || undefined, name: one.name, response: parsedOr(one.text, (output) => ({ output })) }) };
}

function geminiParts({ text, files }) {
  const parts = files.map((file) => ({ inlineData: { mimeType: file.mime, data: file.data } }));
  return text ? [...parts, { text }] : parts;
}

const ASK = { openai_chat: chat, openai_responses: responses, anthropic_messages: messages, gemini };
