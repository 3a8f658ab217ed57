"""The rounds as a table for people, and what each kind took to heal."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rich.table import Table

from gateway_local.faults.rounds import HEAL_PATIENCE_S, Report

LATE = f"> {HEAL_PATIENCE_S:.0f}"


def heading() -> str:
    columns = ("accepted", "refused s", "healed s", "repeats", "took s")
    return f"{'round':>5} {'fault':28} {'victim':34} " + " ".join(f"{name:>9}" for name in columns) + "  books"


def line(report: Report) -> str:
    healed = LATE if report.healed_s is None else f"{report.healed_s:.1f}"
    numbers = (str(report.accepted), f"{report.refused_s:.1f}", healed, str(report.repeats), f"{report.took_s:.1f}")
    books = "balance" if not report.wrong else "; ".join(report.wrong)
    return (
        f"{report.number:>5} {report.kind:28} {report.victim:34} " + " ".join(f"{n:>9}" for n in numbers) + f"  {books}"
    )


def by_kind(reports: Sequence[Report]) -> Table:
    table = Table(box=None, pad_edge=False)
    columns = ("fault", "rounds", "healed, median s", "worst s", "payments refused, worst s", "repeats", "books")
    for title in columns:
        table.add_column(title, justify="left" if title in ("fault", "books") else "right")
    for kind in sorted({report.kind for report in reports}):
        table.add_row(*summary(kind, [report for report in reports if report.kind == kind]))
    return table


def summary(kind: str, reports: Sequence[Report]) -> tuple[str, ...]:
    healed = [report.healed_s for report in reports if report.healed_s is not None]
    return (
        kind,
        str(len(reports)),
        f"{median(healed):.1f}" if healed else LATE,
        f"{max(healed):.1f}" if len(healed) == len(reports) else LATE,
        f"{max(report.refused_s for report in reports):.1f}",
        str(sum(report.repeats for report in reports)),
        "DO NOT balance" if any(report.wrong for report in reports) else "balance",
    )


def as_markdown(reports: Sequence[Report]) -> str:
    """The table by kind, for docs/reliability.md."""
    rows = ["| fault | rounds | healed, median s | worst s | payments refused, worst s | repeated webhooks | books |",
            "|---|---:|---:|---:|---:|---:|---|"]  # fmt: skip
    kinds = sorted({report.kind for report in reports})
    rows += ["| " + " | ".join(summary(kind, [r for r in reports if r.kind == kind])) + " |" for kind in kinds]
    return "\n".join(rows)
