import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

const spoken = await client.audio.speech.create({
  model: "gemini-3.8-flash-tts",
  voice: "Kore",
  input: "The train leaves at nine.",
});

const data = Buffer.from(await spoken.arrayBuffer()).toString("base64");
const answer = await client.chat.completions.create({
  model: "gemini-3.8-flash",
  messages: [
    {
      role: "user",
      content: [
        { type: "input_audio", input_audio: { data, format: "mp3" } },
        { type: "text", text: "When must I be at the station?" },
      ],
    },
  ],
});
console.log(answer.choices[0].message.content);
