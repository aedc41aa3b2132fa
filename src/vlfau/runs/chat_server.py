"""A language model behind the OpenAI-compatible HTTP interface: llama.cpp, Ollama, vLLM and hosted services."""

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from vlfau.errors import ConfigError, ServerError

__all__ = ["ChatServer"]

_MAX_BYTES: Final = 1 << 20
_MAX_TOKENS: Final = 600


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Facts go to the server that was named, and to no other."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class ChatServer:
    """A server and its model.

    Attributes:
        url: Its address, such as http://localhost:8080/v1.
        model: Name of the model; some servers ignore it.
        timeout_s: How long one answer may take, in seconds.
        key: Sent as a bearer token; None sends none.

    Raises:
        ConfigError: The address is not one of http or https, or the time is not positive.
    """

    url: str
    model: str = "default"
    timeout_s: float = 60.0
    key: str | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"'{self.url}' is not the address of a server; give one such as http://localhost:8080/v1")
        if not self.timeout_s > 0:
            raise ConfigError(f"the timeout is {self.timeout_s:g} s; give a positive number of seconds")

    def answer(self, instructions: str, facts: str) -> str:
        """Return the model's answer.

        Raises:
            ServerError: The server does not answer in time, or not as the interface says.
        """
        body = {
            "model": self.model,
            "temperature": 0,
            "max_tokens": _MAX_TOKENS,
            "stream": False,
            "messages": [{"role": "system", "content": instructions}, {"role": "user", "content": facts}],
        }
        headers = {"Content-Type": "application/json"}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        request = urllib.request.Request(
            f"{self.url.rstrip('/')}/chat/completions", json.dumps(body).encode(), headers, method="POST"
        )
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=self.timeout_s) as response:
                content = response.read(_MAX_BYTES + 1)
        except urllib.error.HTTPError as error:
            error.close()
            raise ServerError(f"{self.url} answers {error.code} ({error.reason}); see the server's log") from None
        except TimeoutError:
            raise self._too_slow() from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise self._too_slow() from None
            raise ServerError(f"{self.url} cannot be reached ({error.reason}); start the server") from None
        except (http.client.HTTPException, OSError) as error:
            raise ServerError(f"{self.url} broke off ({error}); see the server's log") from None
        return self._text(content)

    def _too_slow(self) -> ServerError:
        return ServerError(f"{self.url} gave no answer within {self.timeout_s:g} s; allow more with --timeout")

    def _text(self, content: bytes) -> str:
        try:
            if len(content) > _MAX_BYTES:
                raise ValueError("more than 1 MiB")
            text = json.loads(content)["choices"][0]["message"]["content"]
            if not isinstance(text, str):
                raise TypeError("no text")
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise ServerError(
                f"{self.url} does not answer as OpenAI's chat completions do ({type(error).__name__}); check the "
                "address, which usually ends in /v1"
            ) from None
        return text
