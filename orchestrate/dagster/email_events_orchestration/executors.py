"""The executor that the configuration names, from whichever package it comes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dagster import DagsterInvalidConfigError, ExecutorDefinition

from email_events_orchestration.errors import ConfigurationError

if TYPE_CHECKING:
    from email_events_orchestration.configuration import Configuration


def executor_of(configuration: Configuration) -> ExecutorDefinition:
    """Import `module:attribute` and configure it.

    Raises:
        ConfigurationError: There is no such executor, or its `config` does not fit.
    """
    module, _, attribute = configuration.executor.partition(":")
    try:
        definition = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        definition = None
    if not isinstance(definition, ExecutorDefinition):
        raise ConfigurationError(
            f"There is no executor {configuration.executor}; install its package beside Dagster, "
            "or name another, such as dagster:multiprocess_executor."
        )
    try:
        return definition.configured(configuration.executor_config)
    except DagsterInvalidConfigError as error:
        reasons = " ".join(reason.message for reason in error.errors)
        raise ConfigurationError(
            f"The `config` of the executor {configuration.executor} is wrong: {reasons}"
        ) from None
