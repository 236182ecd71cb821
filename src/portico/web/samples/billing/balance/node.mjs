import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const balance = await client.get("/balance");
console.log(`$${balance.available} left, $${balance.held} held by open calls`);
