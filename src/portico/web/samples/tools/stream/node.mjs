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

const stream = await client.chat.completions.create({
  model: "claude-sonnet-5-5",
  messages: [{ role: "user", content: "What is the weather in Paris and Tokyo?" }],
  tools,
  stream: true,
});
const calls = [];
for await (const chunk of stream) {
  for (const piece of chunk.choices[0]?.delta.tool_calls ?? []) {
    calls[piece.index] ??= { id: piece.id, name: piece.function.name, arguments: "" };
    calls[piece.index].arguments += piece.function.arguments ?? "";
  }
}
console.log(calls);
