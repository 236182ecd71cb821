import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

const first = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mM4ISdHU8QwasGoBaMWjFowasGoBaMWjFowasGoBaMWDBULACXLED1gHZEpAAAAAElFTkSuQmCC";
const second = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mOQszlBU8QwasGoBaMWjFowasGoBaMWjFowasGoBaMWDBULAIAZiD0OxRC8AAAAAElFTkSuQmCC";
const answer = await client.responses.create({
  model: "claude-sonnet-5-5",
  input: [
    {
      role: "user",
      content: [
        { type: "input_image", image_url: first, detail: "auto" },
        { type: "input_image", image_url: second, detail: "auto" },
        { type: "input_text", text: "How do these two differ?" },
      ],
    },
  ],
});
console.log(answer.output_text);
