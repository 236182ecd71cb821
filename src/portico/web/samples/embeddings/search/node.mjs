import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });
const texts = ["A bird sings in the tree.", "A fish swims in the lake."];

async function embedded(input, task_type) {
  const made = await client.embeddings.create({ model: "gemini-embedding-001", input, dimensions: 768, task_type });
  return made.data.map((one) => one.embedding);
}

const documents = await embedded(texts, "RETRIEVAL_DOCUMENT");
const [question] = await embedded("Which animal lives in water?", "RETRIEVAL_QUERY");

// The vectors have unit length, so the dot product is the cosine.
const scores = documents.map((document) => document.reduce((sum, value, at) => sum + value * question[at], 0));
console.log(texts[scores.indexOf(Math.max(...scores))], scores);
