"""Structured logs: one JSON object a line, with the ids of the work at hand. No value of a secret or a card ever goes in."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from gateway_common import context


def _add_context(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if current := context.request_id.get():
        event.setdefault("request_id", current)
    if trace := context.traceparent.get():
        event.setdefault("trace_id", trace[3:35])
    return event


def configure_logs(service: str, level: str = "INFO", output: str = "json") -> None:
    """Send everything, the standard library's loggers included, to standard output in one form."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if output == "json" else structlog.dev.ConsoleRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_context,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    # Their loss of a connection is reported by our own publisher and consumer, once and without a stack.
    for noisy in ("aio_pika", "aiormq"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger whose events are named in dotted past tense, such as `delivery.attempted`."""
    logger: FilteringBoundLogger = structlog.get_logger(component=name)
    return logger
