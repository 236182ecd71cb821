import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

const { data, response } = await client.chat.completions
  .create({ model: "gemini-3.8-flash", messages: [{ role: "user", content: "Hello" }], logit_bias: { 1734: 5 } })
  .withResponse();
for (const { code, path, message } of JSON.parse(response.headers.get("x-portico-changes") ?? "[]")) {
  console.log(code, path, message);
}
console.log(data.choices[0].message.content);
