import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({
  apiKey: process.env.PORTICO_API_KEY,
  httpOptions: { baseUrl: "http://localhost:8080" },
});

const answer = await client.models.generateContent({
  model: "gemini-3.8-flash",
  contents: "Hello",
});
console.log(answer.text);
