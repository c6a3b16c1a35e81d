"""WeChat's server APIs for one account: the client, with the token that all processes share."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from pydantic import SecretStr
from sqlalchemy import Engine

from models.config import Account
from wechat import client as paths
from wechat.client import Client
from wechat.errcodes import TokenRejected, Unreachable
from workers.tokens import Tokens

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# Calls that a day allows few enough of to be counted; each is a write, which messages could not afford.
COUNTED = {
    "create_menu": paths.CREATE_MENU,
    "get_menu": paths.GET_MENU,
    "delete_menu": paths.DELETE_MENU,
    "add_conditional": paths.ADD_CONDITIONAL,
    "delete_conditional": paths.DELETE_CONDITIONAL,
    "try_match": paths.TRY_MATCH,
}


class Api:
    def __init__(self, engine: Engine, client: Client, account: Account, secret_key: SecretStr) -> None:
        self.client = client
        self.tokens = Tokens(engine, client, account, secret_key)

    def with_token(
        self,
        call: Callable[Concatenate[SecretStr, Parameters], Result],
        /,
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """`call`, a method of the client, with the current token, and once more with another if that is rejected.

        Raises WeChatError.
        """
        token = self.tokens.current()
        try:
            return self._counted(call, token, *args, **kwargs)
        except TokenRejected:
            pass  # only now, outside of the exception, is it tried again: a second failure stands for itself
        return self._counted(call, self.tokens.replace(token), *args, **kwargs)

    def _counted(
        self,
        call: Callable[Concatenate[SecretStr, Parameters], Result],
        token: SecretStr,
        /,
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        path = COUNTED.get(getattr(call, "__name__", ""))
        sent = path is not None
        try:
            return call(token, *args, **kwargs)
        except Unreachable as error:
            sent = sent and error.sent
            raise
        finally:
            if path is not None and sent:
                self.tokens.count([path])
