"""`caidan config`: every value, and where it comes from."""

from typing import Any

from pydantic import BaseModel, SecretStr

from console.command import as_json, command
from console.i18n import _
from console.output import print_json, print_table
from models.config import Config, explain


@command()
@as_json
def config(as_json: bool) -> None:
    """Show the configuration. Every value with its source; of secrets only whether they are set."""
    values, sources = explain(Config)
    general = [name for name in Config.model_fields if name not in ("accounts", "webhooks")]
    if as_json:
        settings = {name: {"value": shown(getattr(values, name)), "source": sources[name]} for name in general}
        tables: dict[str, Any] = {}
        for name, rows in (("accounts", values.accounts), ("webhooks", values.webhooks)):
            tables[name] = [{field: shown(value) for field, value in _fields(row)} for row in rows]
            tables[f"{name}_source"] = sources[name]
        print_json({"settings": settings, **tables})
        return
    print_table(
        (_("Key"), _("Value"), _("Source"), _("Meaning")),
        [(name, _said(getattr(values, name)), sources[name], _meaning(Config, name)) for name in general],
    )
    for account in values.accounts:
        _print(_("Account {name}").format(name=account.name), account, sources["accounts"])
    for webhook in values.webhooks:
        _print(_("Webhook {name}").format(name=webhook.name), webhook, sources["webhooks"])


def _print(title: str, table: BaseModel, source: str) -> None:
    print_table(
        (title, _("Value"), _("Source"), _("Meaning")),
        [
            (name, _said(value), source if name in table.model_fields_set else "default", _meaning(type(table), name))
            for name, value in _fields(table)
        ],
    )


def shown(value: Any) -> Any:
    """The value, or of a secret whether it is set."""
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else "missing"
    return value


def _said(value: Any) -> str:
    if isinstance(value, SecretStr):
        return _("set") if value.get_secret_value() else _("missing")
    if isinstance(value, dict):
        return ", ".join(f"{key} = {item}" for key, item in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _fields(table: BaseModel) -> list[tuple[str, Any]]:
    """The fields of an account or a webhook; a secret that is not given is missing, not null."""
    fields = []
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        fields.append((name, SecretStr("") if value is None and "Secret" in str(field.annotation) else value))
    return fields


def _meaning(model: type[BaseModel], name: str) -> str:
    return _(str(model.model_fields[name].description))
