import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

const first = await client.responses.create({ model: "gpt-5.5", input: "My name is Ada." });
const second = await client.responses.create({
  model: "claude-sonnet-5-5",
  previous_response_id: first.id,
  input: "Who am I?",
});
console.log(second.output_text);

for await (const item of client.responses.inputItems.list(second.id, { order: "asc" })) console.log(item.type);
await client.responses.delete(second.id);
