"""Rollback and deletion of nested stacks, as in CloudFormation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

KIND = "AWS::CloudFormation::Stack"

_IS_CHILD: ContextVar[bool] = ContextVar("is_child", default=False)


def complete_nested_stacks(cloudformation: Any) -> None:
    """Add missing features to AWS::CloudFormation::Stack of MiniStack 1.5.33.

    - The SAM transform of a child's template (CAPABILITY_AUTO_EXPAND).
    - Attributes of a child's resources that an update does not change: MiniStack drops them, and Fn::GetAtt fails.
    - Deletion of a child's resources when its creation fails. MiniStack keeps them, and the next attempt fails because
      the names exist.
    - DeletionPolicy of a child's resources, and failure of the parent when a child's deletion fails (AWS CloudFormation
      User Guide, "DeletionPolicy attribute" and "Split a template into reusable pieces using nested stacks").

    ``cloudformation`` is the package of that service, with its modules loaded.
    """
    handlers = cloudformation.provisioners._RESOURCE_HANDLERS[KIND]
    create, update = handlers["create"], handlers["update"]
    _transform_children(cloudformation.engine)
    _remember_attributes(cloudformation)

    def create_or_clean_up(logical_id: str, properties: Any, parent: str) -> Any:
        before = set(cloudformation._stacks)
        try:
            with _child():
                return create(logical_id, properties, parent)
        except Exception as error:
            for name in set(cloudformation._stacks) - before:
                if name.startswith(f"{parent}-{logical_id}-"):
                    delete_child(cloudformation, name, is_rollback=True)
                    raise _embedded(cloudformation, name, "created") from error
            raise

    def update_child(physical_id: str, *further: Any) -> Any:
        try:
            with _child():
                return update(physical_id, *further)
        except Exception as error:
            name = cloudformation.provisioners._nested_stack_lookup_name(physical_id)
            raise _embedded(cloudformation, name, "updated") from error

    def delete(physical_id: str, _properties: Any) -> None:
        delete_child(cloudformation, cloudformation.provisioners._nested_stack_lookup_name(physical_id))

    handlers.update(create=create_or_clean_up, update=update_child, delete=delete)


def delete_child(cloudformation: Any, name: str, *, is_rollback: bool = False) -> None:
    """Delete the resources of a nested stack in reverse dependency order, except retained ones.

    Raises ValueError, with the stack in DELETE_FAILED, if a deletion fails: the resource stays in the stack.
    """
    stack = cloudformation._stacks.get(name)
    if not stack:
        return
    template, conditions = stack["_template"], stack["_conditions"]
    declared, resources = template.get("Resources", {}), stack["_resources"]
    failed: dict[str, str] = {}
    for logical_id in reversed(cloudformation.engine._topological_sort(declared, conditions)):
        if logical_id not in resources:
            continue
        resource = resources[logical_id]
        policy = cloudformation.stacks._resource_policy(
            declared[logical_id],
            "DeletionPolicy",
            resources,
            stack["_resolved_params"],
            conditions,
            template.get("Mappings", {}),
            name,
            stack["StackId"],
        )
        kind, physical_id = resource["ResourceType"], resource["PhysicalResourceId"]
        is_retained = policy == "Retain" or (policy == "RetainExceptOnCreate" and not is_rollback)
        status, reason = "DELETE_SKIPPED" if is_retained else "DELETE_COMPLETE", ""
        if not is_retained:
            try:
                cloudformation.provisioners._delete_resource(
                    kind, physical_id, resource["Properties"], name, logical_id
                )
            except Exception as error:
                status, reason = "DELETE_FAILED", str(error)
                failed[logical_id] = reason
        if status != "DELETE_FAILED":
            del resources[logical_id]
        cloudformation.stacks._add_event(stack["StackId"], name, logical_id, kind, status, reason, physical_id)
    stack["StackStatus"] = "DELETE_FAILED" if failed else "DELETE_COMPLETE"
    cloudformation.stacks._add_event(
        stack["StackId"], name, name, KIND, stack["StackStatus"], physical_id=stack["StackId"]
    )
    if failed:
        raise ValueError(f"The following resource(s) failed to delete: [{', '.join(sorted(failed))}]. {failed}")


def _embedded(cloudformation: Any, name: str, participle: str) -> ValueError:
    """Build the error of a parent's resource, with the reason of the child's failure."""
    stack = cloudformation._stacks[name]
    return ValueError(
        f"Embedded stack {stack['StackId']} was not successfully {participle}: {stack['StackStatusReason']}"
    )


def _transform_children(engine: Any) -> None:
    """Apply transforms when a child's template is parsed. MiniStack applies them only to the parent's."""
    parse = engine._parse_template

    def parse_and_transform(body: str) -> Any:
        template = parse(body)
        return engine._apply_transforms(template) if _IS_CHILD.get() else template

    engine._parse_template = parse_and_transform


def _remember_attributes(cloudformation: Any) -> None:
    """Pass a resource's attributes to its update, as for resources of the parent."""
    update = cloudformation.provisioners._update_resource

    def update_resource(kind: str, physical_id: str, old: Any, new: Any, stack: str, *further: Any) -> Any:
        if _IS_CHILD.get() and len(further) == 1:  # the logical id, without attributes
            [logical_id] = further
            further = (logical_id, cloudformation._stacks[stack]["_resources"][logical_id]["Attributes"])
        return update(kind, physical_id, old, new, stack, *further)

    cloudformation.provisioners._update_resource = update_resource


@contextmanager
def _child() -> Iterator[None]:
    token = _IS_CHILD.set(True)
    try:
        yield
    finally:
        _IS_CHILD.reset(token)
