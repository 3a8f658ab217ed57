"""Payments at a constant rate, whether or not earlier ones were answered; latency counts from when each was due."""

from __future__ import annotations

import random
import secrets
import time

import gevent
import gevent.pool
from locust import task
from locust.contrib.fasthttp import FastHttpUser
from locust.exception import StopUser

from loadtests.arrivals import Schedule
from loadtests.scenarios.environment import read

RUN = read()
# More than that unanswered, and the gateway is not keeping up: the rest waits, and its waiting is counted.
MOST_IN_FLIGHT = 2000


class Arrivals(FastHttpUser):
    """One user per worker process is the whole crowd; the rate is shared between the processes."""

    network_timeout = 30.0
    concurrency = MOST_IN_FLIGHT

    @task
    def arrive(self) -> None:
        options = self.environment.parsed_options
        workers = max(1, options.processes or options.expect_workers or 1)
        schedule = Schedule((RUN.per_second or 1.0) / workers, RUN.seconds)
        pool = gevent.pool.Pool(MOST_IN_FLIGHT)
        started = time.perf_counter()
        try:
            for number in range(schedule.total):
                due = started + schedule.due(number)
                gevent.sleep(max(0.0, due - time.perf_counter()))
                pool.spawn(self._pay, due)
        finally:
            pool.join(timeout=10)
        raise StopUser

    def _pay(self, due: float) -> None:
        body = {"order_id": random.choice(RUN.order_ids), "method": "upi", "vpa": "success@upi"}
        headers = RUN.headers | {"Idempotency-Key": secrets.token_hex(16)}
        with self.client.request(
            "POST", "/api/v1/payments", json=body, headers=headers, name="create", catch_response=True
        ) as answer:
            # The client counts from when it came to send.
            answer.request_meta["response_time"] = (time.perf_counter() - due) * 1000
            if answer.status_code == 201:
                self.environment.accepted.append(answer.json()["id"])
