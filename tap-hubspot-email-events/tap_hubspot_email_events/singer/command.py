"""The command line, which answers a user's mistake with one sentence."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.plugin_base import SingerCommand
from typing_extensions import override

from tap_hubspot_email_events.errors import DailyLimitError, TapError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from logging import Logger

    import click


class SentenceCommand(SingerCommand):
    """The SDK's command, with one sentence and exit code 1 instead of a traceback."""

    @override
    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the options, which already runs `--discover` and `--test`."""
        with _sentences(self.logger):
            return super().make_context(*args, **kwargs)

    @override
    def invoke(self, ctx: click.Context) -> Any:
        """Run the tap."""
        with _sentences(self.logger):
            return super().invoke(ctx)


@contextmanager
def _sentences(logger: Logger) -> Iterator[None]:
    try:
        yield
    except DailyLimitError:
        raise SystemExit(0) from None
    except TapError as error:
        sentence = str(error)
    except ValueError as error:
        # The SDK reads files with one of two JSON packages, each with its own error type.
        if type(error).__name__ != "JSONDecodeError":
            raise
        sentence = "The state or catalog file is no valid JSON; correct the file."
    except StreamMapConfigError as error:
        sentence = f"The setting `stream_maps` is wrong: {error}"
    except MapExpressionError:
        sentence = "An expression in the setting `stream_maps` cannot be worked out; correct it."
    except FileNotFoundError as error:
        sentence = f"There is no file {error.filename}; correct the path."
    else:
        return
    logger.error(sentence)
    raise SystemExit(1)
