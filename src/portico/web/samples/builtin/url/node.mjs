import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const answer = await client.chat.completions.create({
  model: "gemini-3.8-flash",
  messages: [{ role: "user", content: "What does https://example.com/ say?" }],
  tools: [{ type: "url_context" }],
});
const { message } = answer.choices[0];
console.log(message.content);
for (const page of message.extra_content.google.url_context_metadata.urlMetadata) {
  console.log(page.urlRetrievalStatus, page.retrievedUrl);
}
