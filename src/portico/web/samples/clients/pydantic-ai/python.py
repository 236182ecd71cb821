import os

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

provider = OpenAIProvider(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])
agent = Agent(OpenAIChatModel("gemini-3.8-flash", provider=provider))

print(agent.run_sync("Say hello in three languages.").output)
