// The @anthropic-ai/sdk package through Messages.

import Anthropic from "@anthropic-ai/sdk";
import { PERSON, QUESTION, WEATHER, base, key, model, picture, report, thrown, weatherOf } from "./common.mjs";

const client = new Anthropic({ baseURL: base, apiKey: key, maxRetries: 0 });
const errors = { limited: Anthropic.RateLimitError, missing: Anthropic.NotFoundError, bad: Anthropic.BadRequestError };

const say = (content, more = {}) =>
  client.messages.create({ model, max_tokens: 8000, messages: [{ role: "user", content }], ...more });
const textOf = (message) => message.content.filter((one) => one.type === "text").map((one) => one.text).join("");

async function stream() {
  const asked = { model, max_tokens: 8000, messages: [{ role: "user", content: "Hello [[sim:words=40]]" }] };
  const running = client.messages.stream(asked);
  let pieces = 0;
  running.on("text", () => (pieces += 1));
  const made = await running.finalMessage();
  return { text: textOf(made), pieces, stop: made.stop_reason, usage: made.usage.output_tokens };
}

async function tools() {
  const declared = [{ name: WEATHER.name, description: WEATHER.description, input_schema: WEATHER.schema }];
  const messages = [{ role: "user", content: QUESTION }];
  const more = { tools: declared, thinking: { type: "enabled", budget_tokens: 1024 } };
  const asked = { model, max_tokens: 8000, messages, ...more };
  const first = await client.messages.create(asked);
  const calls = first.content.filter((one) => one.type === "tool_use");
  messages.push({ role: "assistant", content: first.content });
  const results = calls.map((call) => ({
    type: "tool_result",
    tool_use_id: call.id,
    content: JSON.stringify(weatherOf(call.input.city)),
  }));
  messages.push({ role: "user", content: results });
  const last = await client.messages.create(asked);
  return {
    stop: first.stop_reason,
    calls: calls.map(({ id, name, input }) => ({ id, name, input })),
    text: textOf(last),
  };
}

async function models() {
  const ids = [];
  for await (const one of client.models.list({ limit: 5 })) ids.push(one.id);
  return { ids };
}

await report({
  async text() {
    const made = await say("Hello");
    const usage = made.usage.input_tokens + made.usage.output_tokens;
    return { text: textOf(made), stop: made.stop_reason, model: made.model, usage };
  },
  stream,
  tools,
  async image() {
    const source = { type: "base64", media_type: "image/png", data: picture };
    return { text: textOf(await say([{ type: "image", source }, { type: "text", text: "What is this?" }])) };
  },
  async structured() {
    const made = await say("Oslo for 3 days", { output_config: { format: { type: "json_schema", schema: PERSON } } });
    return { value: JSON.parse(textOf(made)) };
  },
  async thinking() {
    const made = await say("Think hard", { thinking: { type: "enabled", budget_tokens: 2048 } });
    const block = made.content.find((one) => one.type === "thinking");
    const tokens = made.usage.output_tokens_details?.thinking_tokens ?? 0;
    return { text: textOf(made), thoughts: block?.thinking ?? "", tokens };
  },
  async counted() {
    const made = await client.messages.countTokens({ model, messages: [{ role: "user", content: "Hello" }] });
    return { tokens: made.input_tokens };
  },
  models,
  missing: () => thrown(() => say("Hi", { model: "no-such-model" }), errors),
  limited: () => thrown(() => say("[[sim:429]]"), errors),
});
