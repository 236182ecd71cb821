import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const answer = await client.responses.create({
  model: "gpt-5.5",
  input: "How many primes are below 30?",
  reasoning: { effort: "high", summary: "auto" },
});
for (const item of answer.output) {
  if (item.type === "reasoning") console.log("thoughts:", item.summary.map((part) => part.text).join(" "));
}
console.log("answer:", answer.output_text);
