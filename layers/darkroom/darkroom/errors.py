"""All errors, by class.

A class fixes the machine-readable ``code``, the HTTP ``status``, the ``title``, whether a retry can help and whether a
client that requests images can get it. ``message`` is for the client. ``detail`` is for logs only: error messages of
libraries, bucket names.
"""

from __future__ import annotations

from typing import ClassVar


class DarkroomError(Exception):
    """Base of all errors.

    Class arguments set ``code``, ``status``, ``title``, ``retryable`` and ``expected`` (status 5xx, but no fault). A
    subclass inherits those that it does not set. ``viewer_facing``: a request for an image can have this error.

    ``applies_to_source``: every variant of the source has this error. Otherwise it holds for the requested variant.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False
    viewer_facing: ClassVar[bool] = True
    expected: ClassVar[bool] = False

    def __init_subclass__(
        cls, code: str = "", status: int = 0, title: str = "", *, retryable: bool = False, expected: bool = False
    ) -> None:
        super().__init_subclass__()
        given = {"code": code, "status": status, "title": title, "retryable": retryable, "expected": expected}
        for name, value in given.items():
            if value:
                setattr(cls, name, value)

    def __init__(self, message: str = "", *, detail: str = "", applies_to_source: bool = False) -> None:
        super().__init__(message or self.title)
        self.message = message or self.title
        self.detail = detail
        self.applies_to_source = applies_to_source

    def to_problem(self) -> dict[str, object]:
        """Return problem details (RFC 9457) with the ``code``, and the option or field at fault."""
        document: dict[str, object] = {
            "type": f"urn:darkroom:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.message,
            "code": self.code,
        }
        return document | {part: name for part in ("option", "field") if (name := getattr(self, part, ""))}

    @property
    def is_fault(self) -> bool:
        """Whether the service caused the error, not the client."""
        return self.status >= 500 and not self.expected


class NonViewerError(DarkroomError):
    """Base of errors of the upload API and of background work."""

    viewer_facing = False


class BadKey(DarkroomError, code="bad-key", status=400, title="The path is not a valid image key"):
    """The path does not name a source."""


class BadOption(DarkroomError, code="bad-option", status=400, title="An option has an invalid value"):
    """An option has a value outside its range. ``option`` is its short name."""

    def __init__(self, message: str = "", *, option: str = "", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.option = option


class UnknownOption(BadOption, code="unknown-option", title="Unknown option"):
    """No option has this name."""


class DuplicateOption(BadOption, code="duplicate-option", title="An option is given twice"):
    """An option is given twice, perhaps once by its long name."""


class Unsigned(DarkroomError, code="unsigned", status=403, title="This variant requires a signature"):
    """The request has no signature and is not in the finite unsigned set."""


class NotListed(DarkroomError, code="not-listed", status=403, title="Only requests that info.json lists are allowed"):
    """An IIIF request that ``info.json`` does not list, in a mode that serves no other."""


class BadSignature(DarkroomError, code="bad-signature", status=403, title="The signature does not match this request"):
    """No valid key makes this signature for this request."""


class Expired(DarkroomError, code="expired", status=403, title="This link has expired"):
    """The expiry time of a signed link has passed."""


class SourceMissing(DarkroomError, code="no-source", status=404, title="There is no image with this key"):
    """The key has no master."""


class MethodNotAllowed(DarkroomError, code="method-not-allowed", status=405, title="Only GET and HEAD are allowed"):
    """The HTTP method is not GET or HEAD."""


class OverLimits(
    DarkroomError, code="over-limits", status=413, title="The source image exceeds the limits of this service"
):
    """The source has more pixels, frames or bytes than this deployment allows."""


class NotAcceptable(NonViewerError, code="not-acceptable", status=406, title="No accepted media type is available"):
    """None of the media types that the request accepts is sent for the resource."""


class TypeNotAllowed(
    DarkroomError, code="type-not-allowed", status=415, title="The source is not a supported image type"
):
    """The bytes are not of a supported image type."""


class DamagedSource(DarkroomError, code="damaged", status=422, title="The source image is damaged"):
    """The source cannot be decoded completely."""


class TooSlow(DarkroomError, code="too-slow", status=422, title="The image takes too long to render"):
    """Rendering takes more CPU time than a request may use."""


class Unanalysable(
    DarkroomError,
    code="unanalysable",
    status=422,
    title="This image cannot be analysed, so it cannot be redacted or cut out",
):
    """The model cannot read the image. A redacted or cut-out variant of it is never served."""


class NoFonts(DarkroomError, code="no-fonts", status=500, title="This deployment has no fonts"):
    """The function that draws text lacks the layer of fonts."""


class NoInference(
    DarkroomError, code="no-inference", status=501, title="This deployment does not analyse images", expected=True
):
    """The request needs findings, and this deployment has no inference."""


class Unavailable(
    DarkroomError, code="unavailable", status=503, title="The image cannot be rendered right now", retryable=True
):
    """A service that this one depends on did not respond."""


class Unreachable(
    DarkroomError, code="unreachable", status=502, title="The renderer cannot be reached right now", retryable=True
):
    """CloudFront gets no response: the body of its 502 (:func:`darkroom.http.response.find_error_page`)."""


class TimedOut(DarkroomError, code="timed-out", status=504, title="The image was not rendered in time", retryable=True):
    """CloudFront gets no response in time, or the function was ended by its timeout: the body of its 504."""


class SourceBlocked(Unavailable, code="source-blocked", title="The source is not allowed"):
    """A URL or an address that no source may have: ``detail`` names it."""


class KeysInvalid(
    Unavailable,
    code="keys-invalid",
    title="Signatures cannot be verified: the signing keys of this deployment are invalid",
):
    """The secret with the signing keys does not follow its schema, so every signature is rejected."""


class FindingsPending(
    Unavailable, code="findings-pending", title="This image has not been analysed yet", expected=True
):
    """A redacted variant was requested before its image was analysed."""


class PresetsOnly(Unavailable, code="presets-only", title="Only presets are rendered at the moment", expected=True):
    """Load shedding is on: only presets are rendered, besides what is stored."""


class ChecksumMismatch(
    NonViewerError, code="checksum-mismatch", status=422, title="The upload does not match its checksum"
):
    """The checksum of the upload is not that of its bytes."""


class InfectedUpload(NonViewerError, code="infected", status=422, title="The upload is infected"):
    """The virus scanner found a signature."""


class InvalidRequest(NonViewerError):
    """Base of errors in the JSON of a request. ``field`` is the invalid field."""

    def __init__(self, message: str = "", *, field: str = "", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.field = field


class BadUpload(InvalidRequest, code="bad-upload", status=400, title="The upload request is invalid"):
    """A request to the upload API is invalid."""


class BadToken(NonViewerError, code="bad-token", status=401, title="A valid upload token is required"):
    """The request has no valid upload token."""


class NotGranted(NonViewerError, code="not-granted", status=403, title="The upload token does not cover this key"):
    """The upload token is valid, but for other keys."""


class TokenUsedUp(
    NonViewerError, code="token-used-up", status=403, title="The file limit of the upload token is reached"
):
    """The upload token is valid, but it was exchanged for as many forms as it allows files."""


class TooManyUploads(
    NonViewerError,
    code="too-many-uploads",
    status=429,
    title="Too many requests with this upload token in this minute",
    retryable=True,
):
    """An upload token exceeded its rate of forms per minute. ``retry_after_s``: the end of the minute."""

    def __init__(self, message: str = "", *, retry_after_s: int = 0, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.retry_after_s = retry_after_s


class NotIngested(
    NonViewerError, SourceMissing, code="not-ingested", title="This upload is not known yet", retryable=True
):
    """The index has no record of an upload yet."""


class ObjectChanged(NonViewerError, code="changed", status=409, title="The object has changed", retryable=True):
    """The precondition of a write or copy failed: the object is not the expected version."""


class SourceChanged(ObjectChanged):
    """The source of a copy is not the expected version."""


class ModelUnavailable(
    NonViewerError, Unavailable, code="model-unavailable", title="The image cannot be analysed right now"
):
    """The inference endpoint timed out or failed."""


class UnknownTask(NonViewerError, code="unknown-task", status=400, title="There is no model for this task"):
    """The endpoint has no model for the requested task."""


class NoSuchVersion(NonViewerError, code="no-such-version", status=404, title="There is no such model version"):
    """The model registry has no such version."""


class Busy(NonViewerError, Unavailable, code="busy", title="Another worker is processing this", expected=True):
    """Another worker holds the lease. ``retry_in_s``: when the lease ends."""

    def __init__(self, message: str = "", *, retry_in_s: float = 0.0, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.retry_in_s = retry_in_s


class BadRun(InvalidRequest, code="bad-run", status=400, title="The bulk job request is invalid"):
    """A request for a bulk job is invalid."""


class Unsettled(
    NonViewerError, Unavailable, code="unsettled", title="Other functions are still processing some keys", expected=True
):
    """Other functions are still processing keys of a batch. The state machine matches the name of this class."""


class Unfinished(NonViewerError, Unavailable, code="unfinished", title="Some keys must be retried", expected=True):
    """Keys of a batch must be retried. The state machine matches the name of this class."""


class GaveUp(NonViewerError, code="gave-up", title="Some keys have failed too many times"):
    """Keys of a batch have failed too many times. The state machine matches the name of this class."""


class SceneRefused(NonViewerError, code="scene-refused", status=422, title="This large image cannot be ingested"):
    """A large upload is refused, with a recorded reason. The state machine matches the name of this class."""


class SceneFailed(NonViewerError, code="scene-failed", title="This large image could not be split"):
    """Splitting a large image failed in all attempts."""


class TooManyInvalidations(
    NonViewerError, Unavailable, code="too-many-invalidations", title="Too many CDN invalidations are in progress"
):
    """The distribution has reached its limit of concurrent invalidations."""


class InvalidPath(NonViewerError, code="invalid-path", title="The CDN rejected an invalidation path"):
    """CloudFront rejected one path, and with it the request."""


DEFECT = "defect"


def get_error_code(error: BaseException) -> str:
    """Return the code of ``error`` in traces, metrics and dead letters; ``defect`` for an unexpected exception."""
    return error.code if isinstance(error, DarkroomError) else DEFECT


def is_fault(error: BaseException) -> bool:
    """Return whether the service caused ``error``: an unexpected exception, or status 5xx that is not expected."""
    return error.is_fault if isinstance(error, DarkroomError) else True


def list_errors_by_code() -> dict[str, type[DarkroomError]]:
    """Return every error class by its code, to restore the error of a stored marker."""
    found: dict[str, type[DarkroomError]] = {}
    waiting: list[type[DarkroomError]] = [DarkroomError]
    while waiting:
        kind = waiting.pop()
        if "code" in vars(kind):
            found[kind.code] = kind
        waiting.extend(kind.__subclasses__())
    return found
