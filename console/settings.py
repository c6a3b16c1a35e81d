"""`caidan config`: every value, and where it comes from."""

from typing import Any

from pydantic import BaseModel, SecretStr

from console.command import as_json, command
from console.i18n import _
from console.output import print_json, print_table
from models.config import Account, Config, explain


@command()
@as_json
def config(as_json: bool) -> None:
    """Show the configuration. Every value with its source; of secrets only whether they are set."""
    values, sources = explain(Config)
    general = [name for name in Config.model_fields if name != "accounts"]
    if as_json:
        settings = {name: {"value": shown(getattr(values, name)), "source": sources[name]} for name in general}
        accounts = [{name: shown(value) for name, value in _fields(account)} for account in values.accounts]
        print_json({"settings": settings, "accounts": accounts, "accounts_source": sources["accounts"]})
        return
    print_table(
        (_("Key"), _("Value"), _("Source"), _("Meaning")),
        [(name, _said(getattr(values, name)), sources[name], _meaning(Config, name)) for name in general],
    )
    for account in values.accounts:
        print_table(
            (_("Account {name}").format(name=account.name), _("Value"), _("Source"), _("Meaning")),
            [
                (
                    name,
                    _said(value),
                    sources["accounts"] if name in account.model_fields_set else "default",
                    _meaning(Account, name),
                )
                for name, value in _fields(account)
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
    return "" if value is None else str(value)


def _fields(account: Account) -> list[tuple[str, Any]]:
    """The fields of an account; a secret that is not given is missing, not null."""
    fields = []
    for name, field in Account.model_fields.items():
        value = getattr(account, name)
        fields.append((name, SecretStr("") if value is None and "Secret" in str(field.annotation) else value))
    return fields


def _meaning(model: type[BaseModel], name: str) -> str:
    return _(str(model.model_fields[name].description))
