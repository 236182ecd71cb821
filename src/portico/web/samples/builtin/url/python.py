import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

answer = client.chat.completions.create(
    model="gemini-3.8-flash",
    messages=[{"role": "user", "content": "What does https://example.com/ say?"}],
    tools=[{"type": "url_context"}],
)
message = answer.choices[0].message
print(message.content)
for page in message.extra_content["google"]["url_context_metadata"]["urlMetadata"]:
    print(page["urlRetrievalStatus"], page["retrievedUrl"])
