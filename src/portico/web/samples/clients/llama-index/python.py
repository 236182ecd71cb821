import os

from llama_index.llms.openai_like import OpenAILike

llm = OpenAILike(
    model="gemini-3.8-flash",
    api_base="http://localhost:8080/v1",
    api_key=os.environ["PORTICO_API_KEY"],
    context_window=1048576,
    is_chat_model=True,
    is_function_calling_model=True,
)

print(llm.complete("Say hello in three languages."))
