import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const { data, response } = await client.chat.completions
  .create({
    model: "gemini-3.8-flash",
    messages: [{ role: "user", content: "Hello" }],
    temperature: 0.2,
    logit_bias: { 50256: -100 },
  })
  .withResponse();
for (const change of JSON.parse(response.headers.get("x-portico-changes") ?? "[]")) {
  console.log(change.code, change.path, change.message);
}
console.log(response.headers.get("x-portico-request-id"), data.choices.length);
