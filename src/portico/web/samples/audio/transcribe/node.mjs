import { createReadStream, writeFileSync } from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

// Something to listen to. Any recording of yours will do.
const spoken = await client.audio.speech.create({
  model: "gemini-3.8-flash-tts",
  voice: "Kore",
  input: "The train leaves at nine.",
  response_format: "wav",
});
writeFileSync("train.wav", Buffer.from(await spoken.arrayBuffer()));

const heard = await client.audio.transcriptions.create({
  model: "gpt-4o-transcribe",
  file: createReadStream("train.wav"),
  language: "en",
});
console.log(heard.text);
