"""What the user reads of an answer: a table, CSV or JSON, and what the answer cost."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from ses_events.verify.questions import Answer, Question, Workgroup

DOLLARS_PER_TERABYTE = 5
LEAST_BYTES_BILLED = 10_000_000
"""What Athena bills in us-east-1 (docs/costs.md)."""

_NUMBERS = ("tinyint", "smallint", "integer", "bigint", "float", "double", "decimal")


def show(answer: Answer, form: str, document: dict[str, object] | None = None) -> None:
    """Print the rows of an answer.

    :param form: ``table``, ``csv`` or ``json``.
    :param document: what the JSON says besides the rows.
    """
    names = [name for name, _ in answer.columns]
    if form == "json":
        rows = [
            {name: _typed(value, of) for (name, of), value in zip(answer.columns, row, strict=True)}
            for row in answer.rows
        ]
        print(json.dumps({**(document or {}), "rows": rows}, ensure_ascii=False, indent=2))
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([names, *answer.rows])
    elif answer.rows:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        for line in table(answer, width):
            print(line)


def dollars(scanned: int) -> float:
    """Return what a query costs at the list price, given the bytes that it read."""
    return max(scanned, LEAST_BYTES_BILLED) * DOLLARS_PER_TERABYTE / 1e12


def cost(answer: Answer) -> str:
    """How much was found and read, and what that costs, in a sentence."""
    many = f"{len(answer.rows):,} row{'' if len(answer.rows) == 1 else 's'}"
    return f"{many}; Athena read {answer.scanned / 1e6:,.1f} MB, about ${dollars(answer.scanned):.5f} at its list price"


def document(workgroup: Workgroup, question: Question, values: Sequence[str], answer: Answer) -> dict[str, object]:
    """Return what the JSON says besides the rows."""
    return {
        "query": question.name,
        "title": question.title,
        "values": list(values),
        "workgroup": workgroup.name,
        "executionId": answer.execution_id,
        "bytesRead": answer.scanned,
        "dollars": dollars(answer.scanned),
    }


def table(answer: Answer, width: int | None) -> Iterator[str]:
    """Yield the lines of a table, without columns that no row has a value in.

    :param width: of the terminal: where a row is longer, each value gets a line of its own.
    """
    used = [number for number in range(len(answer.columns)) if any(row[number] is not None for row in answer.rows)]
    names = [answer.columns[number][0] for number in used]
    right = [answer.columns[number][1].partition("(")[0] in _NUMBERS for number in used]
    texts = [[_printable(row[number]) for number in used] for row in answer.rows]
    widths = [max(map(cell_len, column)) for column in zip(names, *texts, strict=True)]
    if width and sum(widths) + 2 * len(widths) > width:
        longest = max(map(cell_len, names))
        for number, row in enumerate(texts):
            yield from [""] if number else []
            yield from (f"{name:<{longest}}  {value}" for name, value in zip(names, row, strict=True) if value)
        return
    for row in [names, ["-" * each for each in widths], *texts]:
        cells = [
            " " * (wide - cell_len(value)) + value if to_the_right else value + " " * (wide - cell_len(value))
            for value, wide, to_the_right in zip(row, widths, right, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def _printable(value: str | None) -> str:
    """Return a value on one line: what servers answer is no command to a terminal."""
    return "".join(character if character.isprintable() else " " for character in value or "")


def _typed(value: str | None, of: str) -> object:
    if value is None:
        return None
    if of == "boolean":
        return value == "true"
    if of.partition("(")[0] not in _NUMBERS:
        return value
    number = float(value)
    if of in ("float", "double"):
        return number if abs(number) < float("inf") else value  # JSON has neither NaN nor Infinity
    return int(value) if value.lstrip("-").isdigit() else number
