"""OpenTelemetry traces, sent only when `OTEL_EXPORTER_OTLP_ENDPOINT` is set; otherwise nothing is imported or made.

The trace itself does not need this: `context.traceparent` goes through HTTP, outbox, broker and logs in any case. Here its
steps become spans: a span is told when it is over, under the ids that were handed on while it ran. The packages come with
the extra `tracing`.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Literal

from gateway_common import context
from gateway_common.logs import get_logger

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

log = get_logger(__name__)

Kind = Literal["server", "producer", "consumer", "client"]
REMEMBERED = 20_000

_recorder: _Recorder | None = None


def is_on() -> bool:
    """Ask this before doing anything that costs."""
    return _recorder is not None


def install(service: str, endpoint: str | None, exporter: SpanExporter | None = None) -> None:
    """Start sending to the OTLP/HTTP `endpoint`, such as `http://collector:4318`. None: tracing stays off.

    `exporter` takes the spans instead, in tests.
    """
    global _recorder
    if endpoint is None and exporter is None:
        return
    try:
        _recorder = _Recorder(service, endpoint, exporter)
    except ImportError:
        log.warning("tracing.not_installed", hint="install gateway-common[tracing]")


def stop() -> None:
    """Send what is left, and switch off."""
    global _recorder
    if _recorder is not None:
        _recorder.provider.shutdown()
        _recorder = None


def record(
    name: str,
    kind: Kind,
    *,
    seconds: float,
    span: str,
    parent: str = "",
    attributes: dict[str, str | int] | None = None,
    is_error: bool = False,
) -> None:
    """A step that has just ended and took `seconds`.

    `span` is the step's own traceparent (what it handed on), `parent` the one it was given; empty: the trace began here.
    """
    if _recorder is not None and span:
        _recorder.record(name, kind, seconds, span, parent, attributes or {}, is_error)


def remember(key: str, span: str) -> None:
    """Keep a traceparent for a later step of this process that has only `key`, such as an event's id."""
    if _recorder is not None:
        _recorder.remembered[key] = span
        if len(_recorder.remembered) > REMEMBERED:
            _recorder.remembered.popitem(last=False)


def recall(key: str) -> str:
    """What was remembered; empty when it is not known here."""
    return "" if _recorder is None else _recorder.remembered.get(key, "")


class _Recorder:
    provider: TracerProvider
    tracer: Tracer

    def __init__(self, service: str, endpoint: str | None, exporter: SpanExporter | None) -> None:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import IdGenerator

        recorder = self

        class Given(IdGenerator):
            """The ids are those that were handed on."""

            def generate_span_id(self) -> int:
                return recorder._span_id

            def generate_trace_id(self) -> int:
                return recorder._trace_id

        self._trace = trace
        self._trace_id = self._span_id = 0
        self._kinds = {
            "server": trace.SpanKind.SERVER,
            "producer": trace.SpanKind.PRODUCER,
            "consumer": trace.SpanKind.CONSUMER,
            "client": trace.SpanKind.CLIENT,
        }
        self.remembered: OrderedDict[str, str] = OrderedDict()
        chosen = exporter or OTLPSpanExporter(endpoint=f"{(endpoint or '').rstrip('/')}/v1/traces")
        self.provider = TracerProvider(resource=Resource.create({"service.name": service}), id_generator=Given())
        self.provider.add_span_processor(BatchSpanProcessor(chosen))
        self.tracer = self.provider.get_tracer("gateway_common")

    def record(
        self,
        name: str,
        kind: Kind,
        seconds: float,
        span: str,
        parent: str,
        attributes: dict[str, str | int],
        is_error: bool,
    ) -> None:
        ended = time.time_ns()
        self._trace_id, self._span_id = int(span[3:35], 16), int(span[36:52], 16)
        started = self.tracer.start_span(
            name,
            self._as_context(parent) if context.is_traceparent(parent) else None,
            self._kinds[kind],
            attributes,
            start_time=ended - int(seconds * 1e9),
        )
        if is_error:
            started.set_status(self._trace.StatusCode.ERROR)
        started.end(ended)

    def _as_context(self, parent: str) -> Context:
        trace = self._trace
        flags = trace.TraceFlags(int(parent[53:55], 16))
        told = trace.SpanContext(int(parent[3:35], 16), int(parent[36:52], 16), is_remote=True, trace_flags=flags)
        found: Context = trace.set_span_in_context(trace.NonRecordingSpan(told))
        return found
