import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

request = {
    "model": "claude-sonnet-5-5",
    "max_completion_tokens": 500,
    "messages": [{"role": "user", "content": "Say hello in three languages."}],
}
estimate = client.post("/estimate", cast_to=object, body=request)
print(f"at most ${estimate['ceiling']}; covered: {estimate['covered']}")
