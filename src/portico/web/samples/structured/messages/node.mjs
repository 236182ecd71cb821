import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({
  baseURL: "http://localhost:8080",
  apiKey: process.env.PORTICO_API_KEY,
});

const answer = await client.messages.create({
  model: "gemini-3.8-flash",
  max_tokens: 4096,
  messages: [{ role: "user", content: "Ada is 36 years old and lives in London." }],
  output_config: {
    format: {
      type: "json_schema",
      schema: {
        type: "object",
        properties: { name: { type: "string" }, age: { type: "integer" } },
        required: ["name", "age"],
        additionalProperties: false,
      },
    },
  },
});
console.log(JSON.parse(answer.content.at(-1).text));
