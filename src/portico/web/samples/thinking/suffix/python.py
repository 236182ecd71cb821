import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

for model in (
    "gemini-3.8-flash-thinking",
    "gemini-2.5-flash-thinking-2048",
    "gpt-5.5-low",
    "claude-sonnet-5-5-nothinking",
):
    answer = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "How many primes are below 30?"}],
    )
    print(model, answer.usage.completion_tokens_details.reasoning_tokens)
