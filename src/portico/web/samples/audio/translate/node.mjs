import { createReadStream, writeFileSync } from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

const spoken = await client.audio.speech.create({
  model: "gemini-3.8-flash-tts",
  voice: "Kore",
  input: "Der Zug fährt um neun.",
  response_format: "wav",
});
writeFileSync("zug.wav", Buffer.from(await spoken.arrayBuffer()));

const english = await client.audio.translations.create({ model: "whisper-1", file: createReadStream("zug.wav") });
console.log(english.text);
