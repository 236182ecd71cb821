import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

answer = client.chat.completions.create(
    model="claude-sonnet-5-5",  # or gemini-3.8-flash
    messages=[{"role": "user", "content": "What is the latest news about Python?"}],
    tools=[{"type": "web_search"}],
)
message = answer.choices[0].message
print(message.content)
for annotation in message.annotations or []:
    source = annotation.url_citation
    print("-", message.content[source.start_index : source.end_index].strip(), source.url)
