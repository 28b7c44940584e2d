from __future__ import annotations

import csv
import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.lookup_table.campaigns import COLUMNS, CampaignRows, campaign_row


@given(
    st.lists(
        st.fixed_dictionaries(
            {"id": st.integers(0, 20), "name": st.text(), "contentId": st.none() | st.integers()}
        ),
        min_size=1,
    )
)
def test_the_table_has_one_whole_row_for_each_campaign(records: list[dict[str, Any]]) -> None:
    rows = CampaignRows()
    assert all(rows.add(*campaign_row(content)) for content in records)
    header, *lines = list(csv.reader(io.StringIO(rows.to_csv().decode(), newline="")))
    assert tuple(header) == COLUMNS
    assert all(len(line) == len(COLUMNS) for line in lines)
    assert sorted(line[0] for line in lines) == sorted({str(c["id"]) for c in records})
