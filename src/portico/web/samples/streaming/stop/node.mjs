import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const stop = new AbortController();
const stream = await client.chat.completions.create(
  {
    model: "gemini-3.8-flash",
    messages: [{ role: "user", content: "Tell me a long story." }],
    stream: true,
  },
  { signal: stop.signal },
);
let length = 0;
for await (const chunk of stream) {
  length += chunk.choices[0]?.delta.content?.length ?? 0;
  if (length > 20) stop.abort(); // closes the connection, and the provider's call with it
}
console.log("stopped after", length, "characters");
