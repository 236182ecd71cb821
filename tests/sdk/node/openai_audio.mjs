// The openai package: speech whole, streamed and as events; recordings written down in every way, and translated.

import fs from "node:fs";
import OpenAI, { toFile } from "openai";
import { base, key, report, thrown } from "./common.mjs";

const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
const errors = { bad: OpenAI.BadRequestError };
const { SPEAKER, HEARER, TRANSLATOR, WAV } = process.env;
const given = () => toFile(Buffer.from(WAV, "base64"), "in.wav", { type: "audio/wav" });
const asked = { model: SPEAKER, voice: "alloy", input: "Good morning, everybody." };

async function spoken(more) {
  const answer = await client.audio.speech.create({ ...asked, ...more });
  const sound = Buffer.from(await answer.arrayBuffer()).toString("base64");
  return { type: answer.headers.get("content-type"), sound };
}

async function pieces() {
  const answer = await client.audio.speech.create({ ...asked, response_format: "pcm" });
  let bytes = 0;
  for await (const piece of answer.body) bytes += piece.length;
  return { bytes };
}

async function written(stream) {
  const seen = [];
  for await (const event of stream) seen.push(event);
  const text = seen.map((event) => event.delta ?? "").join("");
  return { text, last: seen.at(-1) };
}

async function fromDisk() {
  const path = `${process.env.HOME}/in.wav`;
  fs.writeFileSync(path, Buffer.from(WAV, "base64"));
  return client.audio.transcriptions.create({ model: HEARER, file: fs.createReadStream(path) });
}

await report({
  mp3: () => spoken({}),
  wav: () => spoken({ response_format: "wav" }),
  pieces,
  json: async () => client.audio.transcriptions.create({ model: HEARER, file: await given(), language: "en" }),
  text: async () => ({
    text: await client.audio.transcriptions.create({ model: HEARER, file: await given(), response_format: "text" }),
  }),
  from_disk: fromDisk,
  stream: async () =>
    written(await client.audio.transcriptions.create({ model: HEARER, file: await given(), stream: true })),
  translated: async () => client.audio.translations.create({ model: TRANSLATOR, file: await given() }),
  bad: () => thrown(() => client.audio.speech.create({ ...asked, voice: "nobody" }), errors),
});
