from __future__ import annotations

import io
import stat
from typing import TYPE_CHECKING

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.connect.env_file import set_variable, with_variable

if TYPE_CHECKING:
    from pathlib import Path

NAME = "TAP_REFRESH_TOKEN"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"{NAME}=new\n"),
        ("A=1", f"A=1\n{NAME}=new\n"),
        (f"A=1\n{NAME}=old\nB=2\n", f"A=1\n{NAME}=new\nB=2\n"),
        (
            f"# {NAME}=1\n\n{NAME}_2=2\nX={NAME}=3",
            f"# {NAME}=1\n\n{NAME}_2=2\nX={NAME}=3\n{NAME}=new\n",
        ),
        (f"A=1\r\n{NAME}=old\r\nB=2\r\n", f"A=1\r\n{NAME}=new\r\nB=2\r\n"),
        ("A=1\r\n", f"A=1\r\n{NAME}=new\r\n"),
        (f"export {NAME} = 'old'", f"{NAME}=new"),
        (f"{NAME}=\n", f"{NAME}=new\n"),
    ],
)
def test_an_assignment_is_replaced_in_place_or_put_at_the_end(before: str, after: str) -> None:
    assert with_variable(before, NAME, "new") == after


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
    | st.text("${}:-#'\"\\ \n\ra")
)
def test_meltano_reads_the_value_that_was_set(value: str) -> None:
    before = f"ABOVE=1\n{NAME}='old\nof two lines'  # a note\nBELOW=2\n"

    after = with_variable(before, NAME, value)

    assert dotenv_values(stream=io.StringIO(after)) == {"ABOVE": "1", NAME: value, "BELOW": "2"}
    assert with_variable(after, NAME, value) == after


def test_the_file_is_its_owners_alone_and_a_link_stays_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "secrets", tmp_path / ".env"
    file.write_text("A=1\n", encoding="utf-8")
    file.chmod(0o644)
    link.symlink_to(file)

    set_variable(link, NAME, "new")

    assert link.is_symlink()
    assert file.read_text(encoding="utf-8") == f"A=1\n{NAME}=new\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == [".env", "secrets"]


def test_a_file_that_is_no_text_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(UnicodeDecodeError):
        set_variable(file, NAME, "new")

    assert file.read_bytes() == b"\xff\xfe"
    assert [each.name for each in tmp_path.iterdir()] == [".env"]
