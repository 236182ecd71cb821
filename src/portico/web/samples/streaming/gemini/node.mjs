import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({
  apiKey: process.env.PORTICO_API_KEY,
  httpOptions: { baseUrl: "http://localhost:8080" },
});

const stream = await client.models.generateContentStream({
  model: "claude-sonnet-5-5",
  contents: "Count to three.",
});
for await (const chunk of stream) process.stdout.write(chunk.text ?? "");
console.log();
