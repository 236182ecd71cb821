import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";

const apiKey = process.env.PORTICO_API_KEY;

const anthropic = new Anthropic({ baseURL: "http://localhost:8080", apiKey });
const messages = [{ role: "user", content: "How long is this?" }];
console.log((await anthropic.messages.countTokens({ model: "gemini-3.8-flash", messages })).input_tokens);

const openai = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey });
console.log((await openai.responses.inputTokens.count({ model: "claude-sonnet-5-5", input: "How long is this?" })).input_tokens);

const google = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: "http://localhost:8080" } });
console.log((await google.models.countTokens({ model: "gpt-5.5", contents: "How long is this?" })).totalTokens);
