"""Signature Version 4A, compared with AWS's C library: a request that awscrt 0.38.1 signed is verified here."""

from __future__ import annotations

import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from darkroom_pipeline.aws.sigv4a import GENERATOR, ORDER, SigV4AAuth, derive_key, multiply, sign

CREDENTIALS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token==")
SERVICE = "cloudfront-keyvaluestore"
URL = (
    "https://111122223333.cloudfront-kvs.global.api.aws/key-value-stores/"
    "arn%3Aaws%3Acloudfront%3A%3A111122223333%3Akey-value-store%2Fabc/keys"
)
AT = "20261128T191257Z"
SCOPE = f"20261128/{SERVICE}/aws4_request"
SIGNED = "content-type;host;if-match;x-amz-date;x-amz-region-set;x-amz-security-token"
BY_AWSCRT = (
    "304402207262e41b1add80e34b89aa0f3340fd4764fc9cb819b7f3a33e452d4d240374d1"
    "0220185967ca5eb80458c47d570d306113802ccf148ec6e98df50a477f5dba228053"
)
"""The signature of botocore.crt.auth.CrtSigV4AsymAuth for this request at AT."""


def request() -> AWSRequest:
    return AWSRequest("POST", URL, {"Content-Type": "application/json", "If-Match": "E1"}, b'{"a":1}')


def public_key() -> ec.EllipticCurvePublicKey:
    point = multiply(derive_key(str(CREDENTIALS.access_key), str(CREDENTIALS.secret_key)))
    assert point is not None
    return ec.EllipticCurvePublicNumbers(*point, ec.SECP256R1()).public_key()


def verify(signature: bytes, message: str) -> None:
    public_key().verify(signature, message.encode(), ec.ECDSA(hashes.SHA256()))


def test_a_signature_of_awscrt_is_valid_for_what_is_signed_here() -> None:
    auth, made = SigV4AAuth(CREDENTIALS, SERVICE), request()
    made.context["timestamp"] = AT
    auth._modify_request_before_signing(made)
    text = auth.string_to_sign(made, auth.canonical_request(made))
    assert text.splitlines()[:3] == ["AWS4-ECDSA-P256-SHA256", AT, SCOPE]
    verify(bytes.fromhex(BY_AWSCRT), text)
    with pytest.raises(InvalidSignature):
        verify(bytes.fromhex(BY_AWSCRT), text + "0")


def test_a_request_is_signed() -> None:
    auth, made = SigV4AAuth(CREDENTIALS, SERVICE), request()
    auth.add_auth(made)
    algorithm, _, rest = made.headers["Authorization"].partition(" ")
    fields = dict(part.split("=", 1) for part in rest.split(", "))
    scope = f"{made.context['timestamp'][:8]}/{SERVICE}/aws4_request"
    assert (algorithm, fields["Credential"]) == ("AWS4-ECDSA-P256-SHA256", f"AKIDEXAMPLE/{scope}")
    assert fields["SignedHeaders"] == SIGNED
    assert made.headers["X-Amz-Region-Set"] == "*"
    del made.headers["Authorization"]  # it is not part of what is signed
    verify(bytes.fromhex(fields["Signature"]), auth.string_to_sign(made, auth.canonical_request(made)))


@pytest.mark.parametrize("number", range(5))
def test_signatures_are_valid(number: int) -> None:
    key = derive_key("AKIDEXAMPLE", f"secret-{number}")
    ours, theirs = multiply(key), ec.derive_private_key(key, ec.SECP256R1()).public_key()
    assert ours == (theirs.public_numbers().x, theirs.public_numbers().y)
    theirs.verify(sign(key, b"message"), b"message", ec.ECDSA(hashes.SHA256()))


def test_the_curve() -> None:
    assert multiply(1) == GENERATOR
    assert multiply(ORDER) is None
    assert multiply(ORDER + 1) == GENERATOR
