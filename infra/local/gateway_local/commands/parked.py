"""List the messages that were put aside as unworkable, or send those of one queue to be tried again."""

from __future__ import annotations

import argparse
import os

from gateway_local import operations
from gateway_local.layout import Layout


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="list|replay", required=True)
    listing = actions.add_parser("list", help="the parked queues, and the newest messages with the reason")
    listing.add_argument("--limit", type=int, default=10, help="how many messages to show per queue")
    replay = actions.add_parser("replay", help="move them back to the queue they came from, without their history")
    replay.add_argument("queue", help="a parked queue, or the work queue it belongs to: webhooks.plan")
    replay.add_argument("--limit", type=int, default=100_000)


def run(arguments: argparse.Namespace) -> int:
    from gateway_local import parking  # the driver takes a while to import

    installation = operations.open_running(Layout.from_environment(os.environ), os.environ)
    url = installation.rabbitmq.url("operator")
    if arguments.action == "replay":
        moved = parking.replay(url, arguments.queue, arguments.limit)
        print(f"{moved} messages were sent to {arguments.queue.removesuffix('.parked')} again.")
        return 0
    found = parking.look(url, arguments.limit)
    for message in found:
        print(f"{message.queue}  {message.message_id}  {message.type}  {message.reason}")
    if not found:
        print("Nothing is parked.")
    return 0
