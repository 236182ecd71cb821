import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({
  apiKey: process.env.PORTICO_API_KEY,
  httpOptions: { baseUrl: "http://localhost:8080" },
});

const made = await client.models.embedContent({
  model: "text-embedding-3-small",
  contents: ["a bird sings", "a fish swims"],
  config: { outputDimensionality: 8 },
});
console.log(made.embeddings.length, made.embeddings[0].values.length);
