import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const answer = await client.responses.create({
  model: "gemini-3.8-flash",
  input: "Ada is 36 years old and lives in London.",
  text: {
    format: {
      type: "json_schema",
      name: "person",
      schema: {
        type: "object",
        properties: { name: { type: "string" }, age: { type: "integer" } },
        required: ["name", "age"],
        additionalProperties: false,
      },
    },
  },
});
console.log(JSON.parse(answer.output_text));
