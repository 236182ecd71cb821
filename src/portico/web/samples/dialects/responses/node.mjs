import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

const answer = await client.responses.create({ model: "gemini-3.8-flash", input: "Hello" });
console.log(answer.output_text);
