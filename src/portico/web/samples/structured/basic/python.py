import json
import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

schema = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "city": {"type": "string"},
    },
    "required": ["name", "age", "city"],
    "additionalProperties": False,
}
for model in ("gemini-3.8-flash", "gpt-5.5", "claude-sonnet-5-5"):
    answer = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Ada is 36 years old and lives in London."}],
        response_format={"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": schema}},
    )
    print(model, json.loads(answer.choices[0].message.content))
