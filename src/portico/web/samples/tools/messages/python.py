import json
import os

from anthropic import Anthropic

client = Anthropic(base_url="http://localhost:8080", api_key=os.environ["PORTICO_API_KEY"])

tools = [
    {
        "name": "get_weather",
        "description": "The weather of a city, now.",
        "input_schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }
]
messages = [{"role": "user", "content": "What is the weather in Paris and Tokyo?"}]
while True:
    answer = client.messages.create(model="gemini-3.8-flash", max_tokens=4096, messages=messages, tools=tools)
    if answer.stop_reason != "tool_use":
        break
    messages.append({"role": "assistant", "content": answer.content})
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": json.dumps({**block.input, "celsius": 21})}
        for block in answer.content
        if block.type == "tool_use"
    ]
    messages.append({"role": "user", "content": results})
print(answer.content[-1].text)
