"""The page that describes the HTTP API to people; it needs no network, and no script."""

from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from console.api_problems import problems
from console.api_questions import ApiQuestion, Parameter, paging
from console.i18n import _, language

_PAGE = Markup("""\
<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Caidan API</title>
<link rel="icon" href="data:,">
<style>
body {{
  font: 16px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere;
}}
table {{ border-collapse: collapse; width: 100% }}
td {{ border-top: 1px solid #8886; padding: .25rem 1rem .25rem 0; vertical-align: top }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere }}
code {{ background: #8882; padding: 0 .2rem }}
h2 {{ margin-top: 2rem }}
</style>
<h1>Caidan API</h1>
<p>{about}</p>
<pre><code>{example}</code></pre>
<p><a href="openapi.json">OpenAPI 3.1</a> · <a href="?lang=en">English</a> · <a href="?lang=zh">中文</a></p>
{questions}
<h2>{problems_title}</h2>
<p>{problems_about}</p>
<table>{problems}</table>
</html>
""")
_QUESTION = Markup('<h2 id="{name}"><code>{path}</code></h2><p>{help}</p><table>{parameters}</table>\n')
_PARAMETER = Markup("<tr><td><code>{name}</code><td>{help}<td>{form}")
_PROBLEM = Markup('<tr id="{reason}"><td>{status}<td><code>{reason}</code><td>{title}')
_EXAMPLE = (
    "curl -H 'Authorization: Bearer caidan_…' 'http://127.0.0.1:8002/api/v1/accounts/shop/buttons?time=7d&by=day'"
)


def page(questions: Sequence[ApiQuestion]) -> str:
    """In the language chosen."""
    about = _(
        "What people do with the menus, for programs. Nothing is changed by asking, and no answer names a follower. "
        "A token for some accounts is made by: caidan api-token add"
    )
    accounts = _question("accounts", "/api/v1/accounts", _("The accounts that the token is for."), paging())
    described = [
        _question(one.name, f"/api/v1/accounts/{{account}}/{one.name}", one.help, one.parameters) for one in questions
    ]
    reasons = [
        _PROBLEM.format(reason=reason, status=problem.status, title=problem.title)
        for reason, problem in problems().items()
    ]
    return _PAGE.format(
        language=language(),
        about=about,
        example=_EXAMPLE,
        questions=_together([accounts, *described]),
        problems_title=_("Problems"),
        problems_about=_("As RFC 9457 has them; reason is one of these words."),
        problems=_together(reasons),
    )


def _question(name: str, path: str, text: Any, parameters: Iterable[Parameter]) -> Markup:
    rows = [_PARAMETER.format(name=one.name, help=one.help, form=_form(one)) for one in parameters]
    return _QUESTION.format(name=name, path=path, help=text, parameters=_together(rows))


def _form(parameter: Parameter) -> str:
    """What its values look like."""
    schema = parameter.schema
    one = schema.get("items", schema)
    form = " | ".join(one["enum"]) if "enum" in one else one["type"]
    if one["type"] == "integer":
        form = f"{one['minimum']} … {one['maximum']}"
    notes = [_("required")] if parameter.is_required else []
    notes += [_("may be repeated")] if schema["type"] == "array" else []
    default = schema.get("default")
    if default not in (None, [], False):
        notes.append(_("otherwise {value}").format(value=" ".join(default) if isinstance(default, list) else default))
    return ", ".join([form, *notes])


def _together(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(parts)
