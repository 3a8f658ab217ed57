"""Idempotency keys (API.md): Redis holds keys and responses, PostgreSQL holds the fence that outlives Redis."""

from gateway_common.idempotency.fence import Fence, StoredResponse, begin_fence, finish_fence
from gateway_common.idempotency.keys import IdempotencyKeys

__all__ = ["Fence", "IdempotencyKeys", "StoredResponse", "begin_fence", "finish_fence"]
