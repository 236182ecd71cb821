import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

answer = client.responses.create(
    model="gpt-5.5",
    input="How many primes are below 30?",
    reasoning={"effort": "high", "summary": "auto"},
)
for item in answer.output:
    if item.type == "reasoning":
        print("thoughts:", " ".join(part.text for part in item.summary))
print("answer:", answer.output_text)
