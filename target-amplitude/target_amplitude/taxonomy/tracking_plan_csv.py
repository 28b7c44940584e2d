"""Write the plan as CSV for the import in Amplitude Data. Pure.

Source of columns and values: Amplitude's ".CSV import and export" reference, which wants every
column named exactly. There is none for classifications, so personal data is not marked.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from target_amplitude.taxonomy.plan import CATEGORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_amplitude.taxonomy.plan import Plan

COLUMNS = (
    "Action",
    "Object type",
    "Object name",
    "Object description",
    "Event category",
    "Event display name",
    "Event activity",
    "Event source",
    "Tags",
    "Property type",
    "Property group names",
    "Event property name",
    "Property description",
    "Property value type",
    "Property required",
    "Property is array",
    "Enum values",
    "Const value",
    "Property regex",
    "Array min items",
    "Array max items",
    "Array unique items",
    "Number is integer",
    "Number property value min",
    "Number property value max",
    "String property value min length",
    "String property value max length",
)

_FORMULA = re.compile(
    r"[\t\r\n]|[\s\ufeff\u200b]*[-=+@"
    r"\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
    r"\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}]"
)
"""What a cell that spreadsheets take for a formula begins with.

Source: OWASP, "CSV Injection", which also has the quote that keeps them from it.
"""


def to_csv(plan: Plan) -> str:
    """Return a line for each event, followed by one for each of its properties."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for event in plan.events:
        line = {
            "Object type": "Event",
            "Object name": event.event_type,
            "Object description": event.description,
            "Event category": CATEGORY,
            "Event display name": event.display_name,
            "Event activity": "Active",
        }
        writer.writerow(_cells(line))
        for planned in event.properties:
            writer.writerow(
                _cells(
                    line
                    | {
                        "Property type": "Event Property",
                        "Event property name": planned.name,
                        "Property description": planned.description,
                        "Property value type": planned.value_type,
                        "Property is array": "True" if planned.is_list else "False",
                        "Property required": "False",
                    },
                ),
            )
    return text.getvalue()


def _cells(line: Mapping[str, str]) -> list[str]:
    cells = (line.get(column, "").replace("\0", "") for column in COLUMNS)
    return [f"'{cell}" if _FORMULA.match(cell) else cell for cell in cells]
