import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const schema = {
  type: "object",
  properties: {
    name: { type: "string" },
    age: { type: "integer" },
    city: { type: "string" },
  },
  required: ["name", "age", "city"],
  additionalProperties: false,
};
for (const model of ["gemini-3.8-flash", "gpt-5.5", "claude-sonnet-5-5"]) {
  const answer = await client.chat.completions.create({
    model,
    messages: [{ role: "user", content: "Ada is 36 years old and lives in London." }],
    response_format: { type: "json_schema", json_schema: { name: "person", strict: true, schema } },
  });
  console.log(model, JSON.parse(answer.choices[0].message.content));
}
