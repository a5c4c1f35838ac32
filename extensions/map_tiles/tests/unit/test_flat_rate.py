"""Preflight of CloudFront's flat-rate plans: this stack has a distribution, which needs a web ACL of its own."""

from __future__ import annotations

from tests.unit.test_preflight_flat_rate import ACL, check, problems


def test_it_is_checked_with_its_own_web_acl() -> None:
    usual = {"PriceClass": "business", "WebAclArn": ACL}
    found = check("business", "map-tiles", **usual)
    assert problems(found) == ["map-tiles Distribution: no web ACL, which each plan requires"]
    assert "map-tiles.WebAclArn" in found[-1].action
    assert not problems(check("business", "map-tiles", further_acl=f"{ACL}2", **usual))


def test_a_web_acl_of_two_stacks_is_shared() -> None:
    found = check("business", "map-tiles", further_acl=ACL, PriceClass="business", WebAclArn=ACL)
    assert problems(found) == [
        f"Distribution: {ACL}: map-tiles Distribution uses it too",
        f"map-tiles Distribution: {ACL}: Distribution uses it too",
    ]
