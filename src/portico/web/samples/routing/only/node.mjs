import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });
const answer = await client.chat.completions.create(
  {
    model: "gemini-3.8-flash",
    messages: [{ role: "user", content: "Hello" }],
    prompt_cache_key: "thread-42",
  },
  { headers: { "x-portico-providers": "simulated-gemini" } },
);
console.log(answer.choices[0].message.content);
