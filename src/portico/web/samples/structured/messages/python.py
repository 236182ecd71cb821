import json
import os

from anthropic import Anthropic

client = Anthropic(base_url="http://localhost:8080", api_key=os.environ["PORTICO_API_KEY"])

answer = client.messages.create(
    model="gemini-3.8-flash",
    max_tokens=4096,
    messages=[{"role": "user", "content": "Ada is 36 years old and lives in London."}],
    output_config={
        "format": {
            "type": "json_schema",
            "schema": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
                "required": ["name", "age"],
                "additionalProperties": False,
            },
        }
    },
)
print(json.loads(answer.content[-1].text))
