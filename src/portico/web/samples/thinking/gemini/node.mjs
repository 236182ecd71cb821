import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({
  apiKey: process.env.PORTICO_API_KEY,
  httpOptions: { baseUrl: "http://localhost:8080" },
});

const answer = await client.models.generateContent({
  model: "claude-sonnet-5-5",
  contents: "How many primes are below 30?",
  config: { thinkingConfig: { thinkingLevel: "HIGH", includeThoughts: true } },
});
for (const part of answer.candidates[0].content.parts) console.log(part.thought ? "thoughts:" : "answer:", part.text);
