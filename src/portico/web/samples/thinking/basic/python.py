import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

answer = client.chat.completions.create(
    model="gemini-3.8-flash",
    messages=[{"role": "user", "content": "How many primes are below 30?"}],
    reasoning_effort="high",
    extra_body={"include_reasoning": True},
)
message = answer.choices[0].message
print("thoughts:", message.reasoning_content)
print("answer:", message.content)
print(answer.usage.completion_tokens_details.reasoning_tokens, "tokens of thoughts")
