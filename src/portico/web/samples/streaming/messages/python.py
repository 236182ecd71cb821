import os

from anthropic import Anthropic

client = Anthropic(base_url="http://localhost:8080", api_key=os.environ["PORTICO_API_KEY"])

with client.messages.stream(
    model="gemini-3.8-flash",
    max_tokens=4096,
    messages=[{"role": "user", "content": "Count to three."}],
) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
    print("\n", stream.get_final_message().usage.output_tokens, "tokens out")
