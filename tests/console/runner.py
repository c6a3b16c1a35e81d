"""The command line, run within the test's process."""

from collections.abc import Iterator

import click
from click.testing import CliRunner, Result

from console.cli import caidan


def run(*arguments: str) -> Result:
    return CliRunner().invoke(caidan, arguments, prog_name="caidan")


def commands(command: click.Command = caidan, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command by its path: "", "db", "db upgrade", …"""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found
            yield from commands(found, f"{path} {name}".strip())
