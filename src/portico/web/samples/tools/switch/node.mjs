import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "The weather of a city, now.",
      parameters: {
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
      },
    },
  },
];

const messages = [{ role: "user", content: "What is the weather in Paris and Tokyo?" }];
const answer = await client.chat.completions.create({ model: "gemini-3.8-flash", messages, tools });

// Only what every client keeps goes back: id, name and arguments. No signature.
const calls = answer.choices[0].message.tool_calls.map(({ id, type, function: { name, arguments: args } }) => ({
  id,
  type,
  function: { name, arguments: args },
}));
messages.push({ role: "assistant", content: null, tool_calls: calls });
for (const { id } of calls) messages.push({ role: "tool", tool_call_id: id, content: '{"celsius": 21}' });

for (const model of ["gemini-3.8-flash", "gpt-5.5", "claude-sonnet-5-5"]) {
  const { data, response } = await client.chat.completions.create({ model, messages, tools }).withResponse();
  console.log(model, "->", data.choices[0].message.content);
  const changes = JSON.parse(response.headers.get("x-portico-changes") ?? "[]");
  console.log("  ", changes.map((change) => change.code));
}
