"""The tables that results are shown by, as text and in notebooks."""

from keras_tl.base.text_tables import paragraphs_html, table_html, table_text
from tests.made_reports import Page

HEAD, ROWS = ["name", "n"], [["<b>", "12,345"], ["a & b", "-"]]


def test_columns_stand_under_each_other():
    assert table_text(HEAD, ROWS) == "name        n\n<b>    12,345\na & b       -"
    assert table_text(["name", "n"], []) == "name  n"


def test_what_is_in_html_is_text():
    page = Page(table_html(HEAD, ROWS) + paragraphs_html("</p><script>", "2 < 3"))
    assert page.said == "name n <b> 12,345 a & b - </p><script> 2 < 3"
    tags = [tag for tag, _ in page.elements]
    assert (tags.count("tr"), tags.count("th"), tags.count("td"), tags.count("p")) == (3, 2, 4, 2)
