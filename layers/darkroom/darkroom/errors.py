"""The one error tree.

Every refusal and fault is a :class:`DarkroomError`. Its class fixes the machine-readable ``code``, the HTTP
``status``, whether trying again can help, and whether who asks for a picture can meet it. Its ``message`` is written
for the person who sent the request. What only an operator may read (native messages, bucket names) goes into
``detail`` and never leaves the logs.
"""

from __future__ import annotations

from typing import ClassVar


class DarkroomError(Exception):
    """Base of all errors. ``message`` is public; ``detail`` is for logs only.

    ``of_source``: the source is refused in every variant. Else a refusal holds for the variant that was requested.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"
    retryable: ClassVar[bool] = False
    viewer_facing: ClassVar[bool] = True
    expected: ClassVar[bool] = False
    """Of status 5xx, and yet nothing that an operator has to look into."""

    def __init__(self, message: str = "", *, detail: str = "", applies_to_source: bool = False) -> None:
        super().__init__(message or self.title)
        self.message = message or self.title
        self.detail = detail
        self.applies_to_source = applies_to_source

    @property
    def is_fault(self) -> bool:
        """Whether it is ours, and not that of who asked."""
        return self.status >= 500 and not self.expected


class BadKey(DarkroomError):
    """The path does not name a source."""

    code = "bad-key"
    status = 400
    title = "The path is not a valid image key"


class BadOption(DarkroomError):
    """An option has a value outside its range. ``option`` is its short name."""

    code = "bad-option"
    status = 400
    title = "An option has a value that is not allowed"

    def __init__(self, message: str = "", *, option: str = "", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.option = option


class UnknownOption(BadOption):
    """No option has this name."""

    code = "unknown-option"
    title = "No such option"


class DuplicateOption(BadOption):
    """An option was given twice, perhaps once by its long name."""

    code = "duplicate-option"
    title = "An option was given twice"


class Unsigned(DarkroomError):
    """Outside the finite unsigned set and not signed."""

    code = "unsigned"
    status = 403
    title = "This variant needs a signature"


class NotListed(DarkroomError):
    """By IIIF's API, something else than ``info.json`` lists, where that is all that anybody may ask for."""

    code = "not-listed"
    status = 403
    title = "Only what info.json lists may be asked for"


class BadSignature(DarkroomError):
    """The signature does not match the request."""

    code = "bad-signature"
    status = 403
    title = "The signature does not match this request"


class Expired(DarkroomError):
    """The signed link's time is over."""

    code = "expired"
    status = 403
    title = "This link has expired"


class SourceMissing(DarkroomError):
    """No master under this key."""

    code = "no-source"
    status = 404
    title = "There is no image with this key"


class MethodNotAllowed(DarkroomError):
    """Only GET and HEAD are served."""

    code = "method-not-allowed"
    status = 405
    title = "Only GET and HEAD are allowed"


class OverLimits(DarkroomError):
    """The source has more pixels, frames or bytes than this deployment allows."""

    code = "over-limits"
    status = 413
    title = "The source image is over this service's limits"


class TypeNotAllowed(DarkroomError):
    """The bytes are not one of the image types that are allowed in."""

    code = "type-not-allowed"
    status = 415
    title = "The source is not an image type that is served here"


class DamagedSource(DarkroomError):
    """The source cannot be decoded completely."""

    code = "damaged"
    status = 422
    title = "The source image is damaged"


class TooSlow(DarkroomError):
    """Rendering the picture takes more CPU time than a request may use."""

    code = "too-slow"
    status = 422
    title = "The picture takes too long to render"


class ChecksumMismatch(DarkroomError):
    """The upload's bytes are not those that its checksum is of."""

    code = "checksum-mismatch"
    status = 422
    title = "The upload does not match its checksum"
    viewer_facing = False


class InfectedUpload(DarkroomError):
    """A virus scanner knows these bytes."""

    code = "infected"
    status = 422
    title = "The upload was found to be infected"
    viewer_facing = False


class BadUpload(DarkroomError):
    """A request to upload is wrong. ``field`` is the part of it that is."""

    code = "bad-upload"
    status = 400
    title = "This upload cannot be accepted"
    viewer_facing = False

    def __init__(self, message: str = "", *, field: str = "", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.field = field


class BadToken(DarkroomError):
    """No valid upload token came with the request."""

    code = "bad-token"
    status = 401
    title = "This needs a valid upload token"
    viewer_facing = False


class NotGranted(DarkroomError):
    """The upload token is valid, but for other keys."""

    code = "not-granted"
    status = 403
    title = "The upload token is not for this key"
    viewer_facing = False


class TokenUsedUp(DarkroomError):
    """The upload token is valid, but forms for as many files as it allows were made already."""

    code = "token-used-up"
    status = 403
    title = "The upload token has been used for as many files as it allows"
    viewer_facing = False


class TooManyUploads(DarkroomError):
    """One upload token has asked for more forms in a minute than it may. ``retry_after_s`` is when the minute ends."""

    code = "too-many-uploads"
    status = 429
    title = "This upload token has sent too many requests in this minute"
    viewer_facing = False
    retryable = True

    def __init__(self, message: str = "", *, retry_after_s: int = 0, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.retry_after_s = retry_after_s


class NotIngested(SourceMissing):
    """The index knows nothing of an upload. It may do so in a moment."""

    code = "not-ingested"
    title = "Nothing is known of this upload yet"
    viewer_facing = False
    retryable = True


class ObjectChanged(DarkroomError):
    """An object is not, or no longer, the one that was to be replaced or copied."""

    code = "changed"
    status = 409
    title = "The object was changed by someone else"
    viewer_facing = False
    retryable = True


class Unavailable(DarkroomError):
    """A service that we need did not answer. Trying again can help."""

    code = "unavailable"
    status = 503
    title = "The picture cannot be made right now"
    retryable = True


class KeysInvalid(Unavailable):
    """The secret with the signing keys does not follow its schema: no signature can be checked, so none is valid."""

    code = "keys-invalid"
    title = "Signatures cannot be checked: this deployment's signing keys are invalid"


class FindingsPending(Unavailable):
    """A picture that is to be redacted has not been looked at yet. Without findings it is not shown at all."""

    code = "findings-pending"
    title = "This picture has not been analysed yet"
    expected = True


class PresetsOnly(Unavailable):
    """For a time only named presets are rendered, and what is stored already is answered."""

    code = "presets-only"
    title = "Only presets are made at the moment"
    expected = True


class Unanalysable(DarkroomError):
    """The model cannot read the picture, so that what is to be hidden in it is not known. It is not shown at all."""

    code = "unanalysable"
    status = 422
    title = "What is to be hidden in this picture cannot be found"


class ModelUnavailable(Unavailable):
    """The inference endpoint did not answer in time, or with a fault of its own."""

    code = "model-unavailable"
    title = "The picture cannot be analysed right now"
    viewer_facing = False


class UnknownTask(DarkroomError):
    """A task was asked for that the endpoint has no model for."""

    code = "unknown-task"
    status = 400
    title = "There is no model for this task"
    viewer_facing = False


class NoSuchVersion(DarkroomError):
    """The model registry has no such version."""

    code = "no-such-version"
    status = 404
    title = "There is no such model version"
    viewer_facing = False


class NoInference(DarkroomError):
    """Needs what inference finds in pictures, and this deployment has no inference."""

    code = "no-inference"
    status = 501
    title = "This deployment does not analyse pictures"
    expected = True


class Busy(Unavailable):
    """Another worker has claimed the same work and may still be at it. ``retry_in_s`` is when its claim ends."""

    code = "busy"
    title = "This is being worked on already"
    viewer_facing = False
    expected = True

    def __init__(self, message: str = "", *, retry_in_s: float = 0.0, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.retry_in_s = retry_in_s


class BadRun(DarkroomError):
    """A run over a library was asked for that cannot be. ``field`` is the part of the request that is wrong."""

    code = "bad-run"
    status = 400
    title = "This run cannot be started"
    viewer_facing = False

    def __init__(self, message: str = "", *, field: str = "", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.field = field


class Unsettled(Unavailable):
    """Other functions are still at keys of a batch. The state machine goes by the name of this class."""

    code = "unsettled"
    title = "Some keys are not settled yet"
    viewer_facing = False
    expected = True


class Unfinished(Unavailable):
    """Keys of a batch are to be tried again. The state machine goes by the name of this class."""

    code = "unfinished"
    title = "Some keys are to be tried again"
    viewer_facing = False
    expected = True


class GaveUp(DarkroomError):
    """Keys of a batch have failed too often. The state machine goes by the name of this class."""

    code = "gave-up"
    title = "Some keys have failed too often"
    viewer_facing = False


class SceneRefused(DarkroomError):
    """An upload that was to be cut in strips is refused; why, is written down. The state machine goes by this name."""

    code = "scene-refused"
    status = 422
    title = "This scene cannot be taken in"
    viewer_facing = False


class SceneFailed(DarkroomError):
    """A scene could not be cut, by our fault, as often as it was tried."""

    code = "scene-failed"
    title = "This scene could not be cut"
    viewer_facing = False


class TooManyInvalidations(Unavailable):
    """The CDN works on as many invalidations as it takes at a time."""

    code = "too-many-invalidations"
    title = "Too many changes are on their way to the CDN"
    viewer_facing = False


class InvalidPath(DarkroomError):
    """The CDN refuses to invalidate a path, and with it every other path of the same request."""

    code = "invalid-path"
    title = "The CDN refuses to invalidate this path"
    viewer_facing = False


DEFECT = "defect"


def get_error_code(error: BaseException) -> str:
    """What ``error`` is called in traces, metrics and dead letters. What is no DarkroomError is a defect of ours."""
    return error.code if isinstance(error, DarkroomError) else DEFECT


def is_fault(error: BaseException) -> bool:
    """Whether ``error`` is ours: a defect, or one of 5xx that nobody expects."""
    return error.is_fault if isinstance(error, DarkroomError) else True


def list_errors_by_code() -> dict[str, type[DarkroomError]]:
    """Every error class by its code, for turning a stored marker back into the error it records."""
    found: dict[str, type[DarkroomError]] = {}
    waiting: list[type[DarkroomError]] = [DarkroomError]
    while waiting:
        kind = waiting.pop()
        found[kind.code] = kind
        waiting.extend(kind.__subclasses__())
    return found
