import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

const made = await client.embeddings.create({
  model: "text-embedding-3-small",
  input: ["a bird sings", "a fish swims"],
  dimensions: 8,
});
console.log(made.data.length, made.data[0].embedding.length, made.usage.total_tokens);
