"""The words that cross a service border: one model per message body. Adding fields is compatible, removing is not."""

from gateway_common.events.charges import ChargeResult
from gateway_common.events.deliveries import DeliveryDue
from gateway_common.events.parsing import encode, parse
from gateway_common.events.payments import PaymentEvent, PaymentSnapshot
from gateway_common.events.refunds import RefundEvent, RefundRequested, RefundResult, RefundSnapshot

__all__ = [
    "ChargeResult",
    "DeliveryDue",
    "PaymentEvent",
    "PaymentSnapshot",
    "RefundEvent",
    "RefundRequested",
    "RefundResult",
    "RefundSnapshot",
    "encode",
    "parse",
]
