import { writeFileSync } from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

const spoken = await client.audio.speech.create({
  model: "gemini-3.8-flash-tts",
  voice: "alloy",
  input: "Good morning, everybody.",
  instructions: "Speak softly",
});
const sound = Buffer.from(await spoken.arrayBuffer());
writeFileSync("morning.mp3", sound);
console.log(sound.length);
