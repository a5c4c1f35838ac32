"""Errors of the command: every exception becomes one line and an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .exit_codes import ExitCode


class CommandError(Exception):
    """The command cannot go on. ``code`` is the exit code; the message is one line with the cause and the remedy."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.code = code


class NotFound(CommandError):
    """What an argument names does not exist."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.NOT_FOUND)


class WrongArgument(CommandError):
    """An argument has a value that is not allowed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.USAGE)


NO_CREDENTIALS = "Sign in (`aws sso login`), or name a profile with --profile."

_CREDENTIAL_CODES = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnauthorizedException",
        "UnrecognizedClientException",
    }
)
"""Codes by which AWS's services refuse credentials, or a call that these do not allow."""

_CREDENTIAL_ERRORS = frozenset(
    {
        "CredentialRetrievalError",
        "InvalidConfigError",
        "NoAuthTokenError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "SSOError",
        "SSOTokenLoadError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }
)
_CONNECTION_ERRORS = frozenset(
    {
        "ConnectTimeoutError",
        "ConnectionClosedError",
        "ConnectionError",
        "EndpointConnectionError",
        "HTTPClientError",
        "ProxyConnectionError",
        "ReadTimeoutError",
        "SSLError",
    }
)
_NOT_FOUND_CODES = frozenset(
    {"NoSuchKey", "NotFound", "ResourceNotFound", "ResourceNotFoundException", "NoSuchBucket", "404"}
)


def describe(error: BaseException) -> CommandError:
    """Translate ``error`` into one line and an exit code, by the first error of its chain that is known."""
    for one in _chain(error):
        if found := _describe_one(one):
            return found
    return CommandError(f"{type(error).__name__}: {_one_line(str(error))} (--debug shows the traceback)")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Our tools' own errors first; then those of AWS, which say more than errors of the layer that they caused."""
    causes = [error]
    while (cause := causes[-1].__cause__) is not None and cause not in causes:
        causes.append(cause)
    yield from (one for one in causes if type(one).__module__.startswith(("cli.", "local.", "tools.")))
    yield from (one for one in causes if type(one).__module__.startswith(("botocore", "boto3", "urllib3")))
    yield from causes


def _describe_one(error: BaseException) -> CommandError | None:
    from botocore.exceptions import BotoCoreError, ClientError

    from cli.deployment import MissingOutput, NoStack
    from darkroom.errors import DarkroomError

    text = _one_line(str(error))
    if isinstance(error, CommandError):
        return error
    if isinstance(error, ClientError):
        return _describe_answer(error.response, text)
    if isinstance(error, BotoCoreError):
        return _describe_client_error(error, text)
    if isinstance(error, DarkroomError):
        return CommandError(f"{text} {_one_line(error.detail)}".strip(), _code_of_status(error.status))
    codes: dict[type[BaseException], ExitCode] = {NoStack: ExitCode.UNREACHABLE, MissingOutput: ExitCode.NOT_FOUND}
    code = codes.get(type(error), ExitCode.FAILED)
    return CommandError(text, code) if isinstance(error, (NoStack, MissingOutput, ValueError, OSError)) else None


def _describe_answer(response: Any, text: str) -> CommandError:
    """An error that a service of AWS has answered with."""
    code = str(response.get("Error", {}).get("Code", ""))
    if code in _CREDENTIAL_CODES:
        return CommandError(f"{text} {NO_CREDENTIALS}" if "Denied" not in code else text, ExitCode.CREDENTIALS)
    if code == "ValidationError" and "does not exist" in text:  # CloudFormation's answer about a stack
        return CommandError(text, ExitCode.UNREACHABLE)
    if code in _NOT_FOUND_CODES:
        return CommandError(text, ExitCode.NOT_FOUND)
    return CommandError(text)


def _describe_client_error(error: object, text: str) -> CommandError:
    """An error of botocore's own, before an answer."""
    names = {base.__name__ for base in type(error).__mro__}
    if "NoRegionError" in names:
        return WrongArgument("No region is set: name it with --region.")
    if names & _CREDENTIAL_ERRORS:
        return CommandError(f"{text}. {NO_CREDENTIALS}", ExitCode.CREDENTIALS)
    if names & _CONNECTION_ERRORS:
        return CommandError(f"{text} Check the network, or whether the stack runs.", ExitCode.UNREACHABLE)
    return CommandError(text)


def _code_of_status(status: int) -> ExitCode:
    codes = {
        400: ExitCode.USAGE,
        404: ExitCode.NOT_FOUND,
        503: ExitCode.UNREACHABLE,
    }
    return codes.get(status, ExitCode.FAILED)


def _one_line(text: str) -> str:
    return " ".join(text.split())
