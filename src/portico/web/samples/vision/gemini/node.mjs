import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({
  apiKey: process.env.PORTICO_API_KEY,
  httpOptions: { baseUrl: "http://localhost:8080" },
});

const data = "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mM4ISdHU8QwasGoBaMWjFowasGoBaMWjFowasGoBaMWDBULACXLED1gHZEpAAAAAElFTkSuQmCC";
const answer = await client.models.generateContent({
  model: "gemini-3.8-flash",
  contents: [{ inlineData: { mimeType: "image/png", data } }, { text: "What colour is this square?" }],
});
console.log(answer.text);
