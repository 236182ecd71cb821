// The openai package: pictures made and edited, whole and streamed.

import OpenAI, { toFile } from "openai";
import { base, key, model, picture, report, thrown } from "./common.mjs";

const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
const errors = { bad: OpenAI.BadRequestError };
const given = () => toFile(Buffer.from(picture, "base64"), "in.png", { type: "image/png" });

const told = (made) => ({
  pictures: made.data.map((one) => one.b64_json),
  size: made.size,
  tokens: made.usage.total_tokens,
});

async function events(stream) {
  const seen = [];
  for await (const event of stream) seen.push({ type: event.type, picture: event.b64_json });
  return { events: seen };
}

await report({
  made: async () => told(await client.images.generate({ model, prompt: "A fox", n: 2 })),
  made_in_a_stream: async () => events(await client.images.generate({ model, prompt: "A fox", stream: true })),
  edited: async () => told(await client.images.edit({ model, prompt: "Red", image: [await given(), await given()] })),
  edited_in_a_stream: async () =>
    events(await client.images.edit({ model, prompt: "Red", image: await given(), stream: true })),
  blocked: () => thrown(() => client.images.generate({ model, prompt: "[[sim:block]]" }), errors),
});
