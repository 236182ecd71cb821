import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

answer = client.responses.create(
    model="gpt-5.5",  # or gemini-3.8-flash, claude-sonnet-5-5
    input="What is the latest news about Python?",
    tools=[{"type": "web_search"}],
)
print(answer.output_text)
for item in answer.output:
    for part in item.content if item.type == "message" else []:
        for source in part.annotations:
            print("-", source.title, source.url)
