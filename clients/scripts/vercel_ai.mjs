// One turn of the Vercel AI SDK, as its documentation shows: generateText, streamText, tools that run, Output.object.
//
// Besides what the turn is for, each step of an answer must have told what it used and why it ended.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, isStepCount, Output, streamText, tool } from "ai";
import { z } from "zod";

const turn = JSON.parse(process.argv[2]);
const root = turn.base_url;
const apiKey = turn.key;

const MODELS = {
  "openai-compatible": (id) =>
    createOpenAICompatible({
      name: "portico",
      apiKey,
      baseURL: `${root}/v1`,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })(id),
  "openai-chat": (id) => createOpenAI({ apiKey, baseURL: `${root}/v1` }).chat(id),
  "openai-responses": (id) => createOpenAI({ apiKey, baseURL: `${root}/v1` }).responses(id),
  google: (id) => createGoogle({ apiKey, baseURL: `${root}/v1beta` })(id),
  anthropic: (id) => createAnthropic({ apiKey, baseURL: `${root}/v1` })(id),
};

const writeFile = tool({
  description: "Writes a text file",
  inputSchema: z.object({ path: z.string().describe("Where to write"), content: z.string().describe("What to write") }),
  execute: async ({ path, content }) => {
    writeFileSync(path, content);
    return { written: path, characters: content.length };
  },
});
const Trip = z.object({ city: z.string(), days: z.number().int() });

// What is asked: a text alone, or beside it a picture, tools, or a shape for the answer.
function question() {
  const asked = { model: MODELS[turn.api](turn.model), maxRetries: 0, maxOutputTokens: 4096 };
  if (turn.tools && !turn.image) Object.assign(asked, { tools: { write_file: writeFile }, stopWhen: isStepCount(5) });
  if (turn.check === "structured") asked.output = Output.object({ schema: Trip });
  if (!turn.image) return { ...asked, prompt: turn.prompt };
  const picture = { type: "file", mediaType: "image/png", data: readFileSync(turn.image) };
  return { ...asked, messages: [{ role: "user", content: [{ type: "text", text: turn.prompt }, picture] }] };
}

async function streamed() {
  let pieces = 0;
  const wrong = [];
  const result = streamText({ ...question(), onError: ({ error }) => wrong.push(error) });
  let text = "";
  for await (const piece of result.textStream) {
    text += piece;
    pieces += 1;
  }
  if (wrong.length) throw wrong[0];
  assert.equal(text.endsWith(await result.text), true, "the pieces make another text");
  return { text, pieces, steps: await result.steps };
}

async function whole() {
  const result = await generateText(question());
  const text = turn.check === "structured" ? JSON.stringify(result.output) : result.text;
  return { text, pieces: null, steps: result.steps };
}

function looked(steps) {
  for (const { usage, finishReason } of steps) {
    assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0, `a step without usage: ${JSON.stringify(usage)}`);
    assert.ok(["stop", "tool-calls"].includes(finishReason), `a step ended with ${finishReason}`);
  }
  if (turn.check === "parallel") {
    const ids = steps[0].toolCalls.map((call) => call.toolCallId);
    assert.ok(ids.length > 1 && new Set(ids).size === ids.length, `calls of the first step: ${JSON.stringify(ids)}`);
  }
}

try {
  const { text, pieces, steps } = await (turn.stream ? streamed() : whole());
  looked(steps);
  console.log(JSON.stringify({ text, pieces }));
} catch (error) {
  const typed = APICallError.isInstance(error) && (turn.check !== "error" || error.statusCode === 404);
  const told = `${error.constructor.name} ${error.statusCode ?? ""}`;
  console.error(typed || turn.check !== "error" ? `${told}: ${error.message}` : told);
  process.exit(1);
}
