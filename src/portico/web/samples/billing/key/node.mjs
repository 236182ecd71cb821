import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const key = await client.get("/key");
console.log(`${key.prefix}: $${key.spendable} to spend`);
