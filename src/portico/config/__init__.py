"""portico.toml and the environment -> one frozen Config. Nobody else reads the environment.

Every setting may come from the file or, winning over it, from the environment. `GEMINI_API_KEY` alone is a complete
configuration: providers implied by environment keys exist only when the file names none. What is wrong is said with
file, line and key, all of it at once.

Each table of the file has a module of its own, which says what may stand in it and reads it (`load.py` names them all).
"""

from portico.config.books import BooksConfig
from portico.config.config import Config
from portico.config.load import DEFAULT_FILE, TABLES, load_config
from portico.config.media import MediaConfig
from portico.config.problems import ConfigError, Problem
from portico.config.retention import RetentionConfig
from portico.config.secrets import SecretsConfig
from portico.config.server import ServerConfig
from portico.config.storage import DATA_FOLDER, StorageConfig

__all__ = [
    "DATA_FOLDER",
    "DEFAULT_FILE",
    "TABLES",
    "BooksConfig",
    "Config",
    "ConfigError",
    "MediaConfig",
    "Problem",
    "RetentionConfig",
    "SecretsConfig",
    "ServerConfig",
    "StorageConfig",
    "load_config",
]
