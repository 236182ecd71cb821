import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

for await (const model of client.models.list()) {
  console.log(model.id);
}
