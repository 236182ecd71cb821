// The openai package through Chat Completions (API=chat) or Responses (API=responses).

import OpenAI from "openai";
import { PERSON, QUESTION, WEATHER, base, key, model, picture, report, thrown, weatherOf } from "./common.mjs";

const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
const shown = `data:image/png;base64,${picture}`;
const errors = { limited: OpenAI.RateLimitError, missing: OpenAI.NotFoundError, bad: OpenAI.BadRequestError };

async function models() {
  const ids = [];
  for await (const one of client.models.list()) ids.push(one.id);
  return { ids };
}

// -- Chat Completions -------------------------------------------------------------------------------------------------

const say = (content, more = {}) =>
  client.chat.completions.create({ model, messages: [{ role: "user", content }], ...more });

async function chatStream() {
  const stream = await say("Hello [[sim:words=40]]", { stream: true, stream_options: { include_usage: true } });
  const told = { text: "", pieces: 0, stop: null, usage: null };
  for await (const chunk of stream) {
    const choice = chunk.choices[0];
    told.text += choice?.delta?.content ?? "";
    told.pieces += choice?.delta?.content ? 1 : 0;
    told.stop = choice?.finish_reason ?? told.stop;
    told.usage = chunk.usage?.total_tokens ?? told.usage;
  }
  return told;
}

async function chatTools() {
  const tools = [{ type: "function", function: { name: WEATHER.name, parameters: WEATHER.schema } }];
  const messages = [{ role: "user", content: QUESTION }];
  const first = await client.chat.completions.create({ model, messages, tools });
  const asked = first.choices[0].message;
  const calls = asked.tool_calls ?? [];
  messages.push(asked);
  for (const call of calls) {
    const { city } = JSON.parse(call.function.arguments);
    messages.push({ role: "tool", tool_call_id: call.id, content: JSON.stringify(weatherOf(city)) });
  }
  const last = await client.chat.completions.create({ model, messages, tools });
  return {
    stop: first.choices[0].finish_reason,
    calls: calls.map((call) => ({ id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments) })),
    text: last.choices[0].message.content,
  };
}

const chat = {
  async text() {
    const made = await say("Hello");
    const { message, finish_reason: stop } = made.choices[0];
    return { text: message.content, stop, model: made.model, usage: made.usage.total_tokens };
  },
  stream: chatStream,
  tools: chatTools,
  async image() {
    const parts = [{ type: "text", text: "What is this?" }, { type: "image_url", image_url: { url: shown } }];
    return { text: (await say(parts)).choices[0].message.content };
  },
  async structured() {
    const format = { type: "json_schema", json_schema: { name: "trip", schema: PERSON, strict: true } };
    const made = await say("Oslo for 3 days", { response_format: format });
    return { value: JSON.parse(made.choices[0].message.content) };
  },
  async thinking() {
    const made = await say("Think hard", { reasoning_effort: "high" });
    const told = made.choices[0].message;
    return {
      text: told.content,
      thoughts: told.reasoning_content ?? "",
      tokens: made.usage.completion_tokens_details?.reasoning_tokens ?? 0,
    };
  },
  models,
  missing: () => thrown(() => say("Hi", { model: "no-such-model" }), errors),
  limited: () => thrown(() => say("[[sim:429]]"), errors),
};

// -- Responses --------------------------------------------------------------------------------------------------------

const respond = (input, more = {}) => client.responses.create({ model, input, store: false, ...more });

async function responseStream() {
  const stream = await respond("Hello [[sim:words=40]]", { stream: true });
  const told = { text: "", pieces: 0, stop: null, usage: null };
  for await (const event of stream) {
    if (event.type === "response.output_text.delta") {
      told.text += event.delta;
      told.pieces += 1;
    }
    if (event.type === "response.completed") {
      told.stop = event.response.status;
      told.usage = event.response.usage.total_tokens;
    }
  }
  return told;
}

async function responseTools() {
  const tools = [{ type: "function", name: WEATHER.name, parameters: WEATHER.schema, strict: true }];
  const include = ["reasoning.encrypted_content"];
  const input = [{ role: "user", content: QUESTION }];
  const first = await respond(input, { tools, include });
  const calls = first.output.filter((item) => item.type === "function_call");
  input.push(...first.output);
  for (const call of calls) {
    const { city } = JSON.parse(call.arguments);
    input.push({ type: "function_call_output", call_id: call.call_id, output: JSON.stringify(weatherOf(city)) });
  }
  const last = await respond(input, { tools, include });
  return {
    stop: first.status,
    calls: calls.map((call) => ({ id: call.call_id, name: call.name, input: JSON.parse(call.arguments) })),
    text: last.output_text,
  };
}

const responses = {
  async text() {
    const made = await respond("Hello");
    return { text: made.output_text, stop: made.status, model: made.model, usage: made.usage.total_tokens };
  },
  stream: responseStream,
  tools: responseTools,
  async image() {
    const content = [{ type: "input_text", text: "What is this?" }, { type: "input_image", image_url: shown }];
    return { text: (await respond([{ role: "user", content }])).output_text };
  },
  async structured() {
    const format = { type: "json_schema", name: "trip", schema: PERSON, strict: true };
    const made = await respond("Oslo for 3 days", { text: { format } });
    return { value: JSON.parse(made.output_text) };
  },
  async thinking() {
    const made = await respond("Think hard", { reasoning: { effort: "high", summary: "auto" } });
    const item = made.output.find((one) => one.type === "reasoning");
    return {
      text: made.output_text,
      thoughts: (item?.summary ?? []).map((one) => one.text).join(""),
      tokens: made.usage.output_tokens_details?.reasoning_tokens ?? 0,
    };
  },
  async counted() {
    return { tokens: (await client.responses.inputTokens.count({ model, input: "Hello" })).input_tokens };
  },
  models,
  missing: () => thrown(() => respond("Hi", { model: "no-such-model" }), errors),
  limited: () => thrown(() => respond("[[sim:429]]"), errors),
};

await report(process.env.API === "responses" ? responses : chat);
