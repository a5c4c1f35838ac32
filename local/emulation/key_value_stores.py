"""Deletion of CloudFront's key-value stores by CloudFormation, which MiniStack 1.5.33 does in part."""

from __future__ import annotations

from typing import Any

STORE = "AWS::CloudFront::KeyValueStore"


def delete_entries_with_store(cloudfront: Any, provisioners: Any, entries: Any) -> None:
    """Delete the entries of a store with it: MiniStack would give them to the next store of the same name.

    ``entries`` is its module of the data plane.
    """
    own = provisioners._RESOURCE_HANDLERS[STORE]["delete"]

    def delete(physical_id: str, properties: Any) -> None:
        store = cloudfront._kvstores.get(physical_id)
        own(physical_id, properties)
        if store is not None:
            entries._stores.pop(store["ARN"], None)

    provisioners._RESOURCE_HANDLERS[STORE]["delete"] = delete
