"""The command line: `caidan`, and where each of its verbs is."""

import click

from console.command import Option, Root

VERBS = {
    "up": "console.roles:up",
    "ingest": "console.roles:ingest",
    "worker": "console.roles:worker",
    "beat": "console.roles:beat",
    "demo": "console.demo:demo",
    "simulate": "console.simulate:simulate",
    "platform": "console.platform:platform",
    "doctor": "console.doctor:doctor",
    "status": "console.status:status",
    "config": "console.settings:config",
    "db": "console.database:db",
    "event": "console.events:event",
    "quarantine": "console.quarantine:quarantine",
    "journal": "console.journal:journal",
    "menu": "console.menu:menu",
    "rotation": "console.rotation:rotation",
    "holiday": "console.holiday:holiday",
    "reply": "console.reply:reply",
    "handler": "console.handler:handler",
    "token": "console.token:token",
    "stats": "console.stats:stats",
    "console": "console.serving:console",
    "api-token": "console.api_token:api_token",
}


@click.group(
    cls=Root,
    places=VERBS,
    context_settings={"max_content_width": 100, "show_default": True},
)
@click.version_option(
    package_name="caidan", message="%(prog)s %(version)s", cls=Option, help="Show the version and exit."
)
def caidan() -> None:
    """Caidan keeps what WeChat pushes: every menu tap, scan, photo and place."""


def main() -> None:
    caidan(prog_name="caidan")


if __name__ == "__main__":
    main()
