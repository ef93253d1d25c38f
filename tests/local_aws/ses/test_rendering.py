from __future__ import annotations

import pytest

from local_aws.ses.rendering import RenderingFailure, render


@pytest.mark.parametrize(
    ("text", "data", "result"),
    [
        ("Hello {{name}} and {{ friend }}", '{"name": "Bea", "friend": "Carl"}', "Hello Bea and Carl"),
        ("{{person.name}}, {{{html}}}, {{count}}", '{"person": {"name": "B"}, "html": "<b>", "count": 3}', "B, <b>, 3"),
        ("{{#if vip}}{{missing}}{{/if}}{{name}}", '{"name": "Bea"}', "{{#if vip}}{{missing}}{{/if}}Bea"),
        ("{{amazonSESUnsubscribeUrl}}", "", "{{amazonSESUnsubscribeUrl}}"),
        ("no variables", "", "no variables"),
    ],
)
def test_variables_are_filled_in(text: str, data: str, result: str) -> None:
    assert render({"Text": text}, data) == {"Text": result}


@pytest.mark.parametrize(
    ("text", "data", "reason"),
    [
        ("{{name}}", "{}", "Attribute 'name' is not present in the rendering data."),
        ("{{name}}", '{"Name": "Bea"}', "Attribute 'name' is not present in the rendering data."),
        ("{{person.name}}", '{"person": "Bea"}', "Attribute 'person.name' is not present in the rendering data."),
        ("Hello", "{name: Bea}", "The template data is not valid JSON: Expecting property name"),
    ],
)
def test_a_missing_value_is_a_failure(text: str, data: str, reason: str) -> None:
    with pytest.raises(RenderingFailure) as failure:
        render({"Text": text}, data)
    assert str(failure.value).startswith(reason)
