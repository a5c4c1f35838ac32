"""A test certificate for Content Credentials on the local stack: made at each start, trusted nowhere else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .aws import Cloud

_VALID = timedelta(days=30)


def store_certificate(cloud: Cloud, stack: str) -> None:
    """Store a new key and its certificates as the secret of the ``stack``, unless it has one."""
    name = f"{stack}-content-credentials"
    try:
        cloud.secrets.describe_secret(SecretId=name)
    except cloud.secrets.exceptions.ResourceNotFoundException:
        key = ec.generate_private_key(ec.SECP256R1())
        document = {"certificates": issue_chain(key.public_key())[0], "private_key": write_private_key(key)}
        cloud.secrets.create_secret(Name=name, SecretString=json.dumps(document))


def write_private_key(key: ec.EllipticCurvePrivateKey) -> str:
    """Return ``key`` as PKCS#8 in PEM."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def issue_chain(
    key: ec.EllipticCurvePublicKey, organisation: str = "Darkroom local stack", *, since: datetime | None = None
) -> tuple[str, str]:
    """Issue a certificate for ``key`` by a new authority; return the chain and the authority's certificate, as PEM.

    Both are valid for 30 days, from now unless ``since`` says when. The certificate meets the profile of the C2PA
    (specification 2.2, "X.509 Certificates").
    """
    since = since or datetime.now(UTC) - timedelta(minutes=5)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name("Darkroom test", "Darkroom test root")
    authority = (
        _start(authority_name, authority_name, authority_key.public_key(), since)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        _start(_name(organisation, "Test signer"), authority_name, key, since)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    own, root = (one.public_bytes(serialization.Encoding.PEM).decode() for one in (certificate, authority))
    return own + root, root


def _start(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, since: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(since).not_valid_after(since + _VALID)


def _name(organisation: str, common_name: str) -> x509.Name:
    texts = ((NameOID.ORGANIZATION_NAME, organisation), (NameOID.COMMON_NAME, common_name))
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in texts])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
