import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const { data, response } = await client.chat.completions
  .create(
    { model: "claude-sonnet-5-5", messages: [{ role: "user", content: "Hello" }] },
    { headers: { "x-portico-cost": "1" } },
  )
  .withResponse();

console.log(data.choices[0].message.content);
console.log("cost in dollars:", response.headers.get("x-portico-cost"));
