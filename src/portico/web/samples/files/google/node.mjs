import { writeFileSync } from "node:fs";
import { createPartFromUri, GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({
  apiKey: process.env.PORTICO_API_KEY,
  httpOptions: { baseUrl: "http://localhost:8080" },
});

writeFileSync("notes.txt", "The meeting moves to Thursday at ten.\n");

const file = await client.files.upload({ file: "notes.txt", config: { mimeType: "text/plain" } });
const answer = await client.models.generateContent({
  model: "gemini-3.8-flash",
  contents: [createPartFromUri(file.uri, file.mimeType), "When is the meeting?"],
});
console.log(answer.text);
await client.files.delete({ name: file.name });
