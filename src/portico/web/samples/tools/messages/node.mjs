import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({
  baseURL: "http://localhost:8080",
  apiKey: process.env.PORTICO_API_KEY,
});

const tools = [
  {
    name: "get_weather",
    description: "The weather of a city, now.",
    input_schema: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
    },
  },
];
const messages = [{ role: "user", content: "What is the weather in Paris and Tokyo?" }];
let answer;
for (;;) {
  answer = await client.messages.create({ model: "gemini-3.8-flash", max_tokens: 4096, messages, tools });
  if (answer.stop_reason !== "tool_use") break;
  messages.push({ role: "assistant", content: answer.content });
  const results = answer.content
    .filter((block) => block.type === "tool_use")
    .map(({ id, input }) => ({
      type: "tool_result",
      tool_use_id: id,
      content: JSON.stringify({ ...input, celsius: 21 }),
    }));
  messages.push({ role: "user", content: results });
}
console.log(answer.content.at(-1).text);
