// The @google/genai package through generateContent.

import { ApiError, GoogleGenAI } from "@google/genai";
import { PERSON, QUESTION, WEATHER, base, key, model, picture, report, thrown, weatherOf } from "./common.mjs";

const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: base } });
const say = (contents, config = {}, name = model) => client.models.generateContent({ model: name, contents, config });

// This SDK has one class of error for all of them.
async function failed(ask) {
  const told = await thrown(ask, { api: ApiError });
  return { ...told, kind: told.kind === "api" ? { 429: "limited", 404: "missing" }[told.status] : told.kind };
}

async function stream() {
  const running = await client.models.generateContentStream({ model, contents: "Hello [[sim:words=40]]" });
  const told = { text: "", pieces: 0, stop: null, usage: null };
  for await (const chunk of running) {
    told.text += chunk.text ?? "";
    told.pieces += chunk.text ? 1 : 0;
    told.stop = chunk.candidates?.[0]?.finishReason ?? told.stop;
    told.usage = chunk.usageMetadata?.totalTokenCount ?? told.usage;
  }
  return told;
}

async function tools() {
  const declared = [{ name: WEATHER.name, description: WEATHER.description, parametersJsonSchema: WEATHER.schema }];
  const config = { tools: [{ functionDeclarations: declared }] };
  const contents = [{ role: "user", parts: [{ text: QUESTION }] }];
  const first = await say(contents, config);
  const calls = first.functionCalls ?? [];
  contents.push(first.candidates[0].content);
  const parts = calls.map(({ id, name, args }) => ({ functionResponse: { id, name, response: weatherOf(args.city) } }));
  contents.push({ role: "user", parts });
  const last = await say(contents, config);
  return {
    stop: first.candidates[0].finishReason,
    calls: calls.map(({ id, name, args }) => ({ id, name, input: args })),
    text: last.text,
  };
}

async function models() {
  const ids = [];
  for await (const one of await client.models.list({ config: { pageSize: 5 } })) ids.push(one.name.replace("models/", ""));
  return { ids };
}

await report({
  async text() {
    const made = await say("Hello");
    const usage = made.usageMetadata.totalTokenCount;
    return { text: made.text, stop: made.candidates[0].finishReason, model: made.modelVersion, usage };
  },
  stream,
  tools,
  async image() {
    const inlineData = { mimeType: "image/png", data: picture };
    return { text: (await say([{ inlineData }, { text: "What is this?" }])).text };
  },
  async structured() {
    const config = { responseMimeType: "application/json", responseJsonSchema: PERSON };
    return { value: JSON.parse((await say("Oslo for 3 days", config)).text) };
  },
  async thinking() {
    const made = await say("Think hard", { thinkingConfig: { includeThoughts: true } });
    const parts = made.candidates[0].content.parts;
    const thoughts = parts.filter((part) => part.thought).map((part) => part.text).join("");
    return { text: made.text, thoughts, tokens: made.usageMetadata.thoughtsTokenCount ?? 0 };
  },
  async counted() {
    return { tokens: (await client.models.countTokens({ model, contents: "Hello" })).totalTokens };
  },
  models,
  missing: () => failed(() => say("Hi", {}, "no-such-model")),
  limited: () => failed(() => say("[[sim:429]]")),
});
