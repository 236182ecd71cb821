import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });
const { data, response } = await client.chat.completions
  .create({
    model: "gemini-3.8-flash",
    messages: [{ role: "user", content: "Who answers Node? [[sim:once:503]]" }],
  })
  .withResponse();
for (const tried of JSON.parse(response.headers.get("x-portico-attempts") ?? "[]")) {
  console.log(tried.provider, tried.model, tried.outcome);
}
console.log(data.choices[0].message.content);
