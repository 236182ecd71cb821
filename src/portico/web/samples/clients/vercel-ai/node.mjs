import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText } from "ai";

const portico = createOpenAICompatible({
  name: "portico",
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const { text } = await generateText({ model: portico("gemini-3.8-flash"), prompt: "Say hello in three languages." });

console.log(text);
