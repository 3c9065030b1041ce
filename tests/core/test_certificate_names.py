from __future__ import annotations

import ssl

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from credtray.aws.proxies import issuer_name


def certificate(organization: str, unit: str = "unit") -> bytes:
    authority = trustme.CA(organization_name=organization, organization_unit_name=unit)
    leaf = authority.issue_cert("portal.example").cert_chain_pems[0].bytes().decode()
    return ssl.PEM_cert_to_DER_cert(leaf)


@pytest.mark.parametrize("name", ["Corp Ltd", "Größe GmbH", "x" * 64])
def test_issuer_is_the_authoritys_organisation(name: str) -> None:
    assert issuer_name(certificate(name)) == name


def test_issuer_is_made_printable() -> None:
    assert issuer_name(certificate("Evil\x1b[2J\u202e Ltd")) == "Evil[2J Ltd"


WHOLE = certificate("Corp Ltd")


@given(st.integers(0, len(WHOLE)), st.integers(0, 255))
def test_torn_or_changed_certificate_is_no_error(at: int, byte: int) -> None:
    for damaged in (WHOLE[:at], WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :]):
        name = issuer_name(damaged)

        assert name is None or name.isprintable()


@given(st.binary(max_size=200))
def test_garbage_has_no_issuer_and_is_no_error(data: bytes) -> None:
    issuer_name(data)
