"""The Terraform module and the constructs of a release: the files of ``packages``, and facts of its template."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cli.releases.files import PREFIX

PACKAGES = Path(__file__).resolve().parents[2] / "packages"
_REFERENCE = re.compile(rf'\${{{PREFIX}}}([^"]+)')
_NOT_RE2 = re.compile(r"\(\?[=!<]|\\[1-9]")
"""What Terraform's regular expressions do not have: lookaround and backreferences. CloudFormation checks such ones."""


def write_modules(folder: Path, template: Mapping[str, Any], packaged: Mapping[str, str]) -> None:
    """Write ``terraform``, ``cdk`` and ``files.json`` into a release.

    ``template`` is that of the checkout, ``packaged`` are the paths of packaged ones by processor.
    """
    hidden = shutil.ignore_patterns("__pycache__", ".terraform*", "node_modules", "*.js")
    for name in ("terraform", "cdk"):
        shutil.copytree(PACKAGES / name, folder / name, ignore=hidden)
    _write_json(folder / "files.json", dict(sorted(list_files(folder, packaged))))
    _write_json(folder / "terraform" / "variables.tf.json", describe_variables(template["Parameters"]))
    _write_json(folder / "terraform" / "outputs.tf.json", describe_outputs(template["Outputs"]))
    python = folder / "cdk" / "python" / "src" / "darkroom_cdk" / "parameters.py"
    python.write_text(write_python(template), encoding="utf-8")
    typescript = folder / "cdk" / "typescript" / "parameters.ts"
    typescript.write_text(write_typescript(template), encoding="utf-8")


def list_files(folder: Path, packaged: Mapping[str, str]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Yield each file that a stack may read, with the values of parameters for which it does."""
    by_arch = {}
    for arch, path in packaged.items():
        template = json.loads((folder / path).read_text(encoding="utf-8"))
        by_arch[arch] = {path: {}, **dict(_list_referenced(template))}
    for path in {path: None for files in by_arch.values() for path in files}:
        readers = [arch for arch, files in by_arch.items() if path in files]
        of_arch = {"Arch": readers} if len(readers) < len(by_arch) else {}
        yield path, of_arch | by_arch[readers[0]][path]


def _list_referenced(template: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    for resource in template["Resources"].values():
        condition = template["Conditions"].get(resource.get("Condition"), {})
        for path in _REFERENCE.findall(json.dumps(resource)):
            yield path, _read_option(condition, template["Parameters"])


def _read_option(condition: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the option that a condition compares, with its values for which it holds, nothing for others."""
    match condition:
        case {"Fn::Equals": [{"Ref": name}, str(value)]}:
            return {name: [value]}
        case {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, str(value)]}]} if "AllowedValues" in parameters[name]:
            return {name: [one for one in parameters[name]["AllowedValues"] if one != value]}
    return {}  # conditions of several parameters: always


def describe_variables(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return Terraform's variables for the parameters of a template, and their values as CloudFormation takes them."""
    values = {
        name: f'${{join(",", var.{to_snake_case(name)})}}'
        if _is_list(one)
        else f"${{tostring(var.{to_snake_case(name)})}}"
        for name, one in parameters.items()
    }
    variables = {to_snake_case(name): _describe_variable(name, one) for name, one in parameters.items()}
    return {"variable": variables, "locals": {"parameters": values}}


def describe_outputs(outputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return Terraform's outputs for those of a template; one whose condition does not hold is null."""
    stack = "aws_cloudformation_stack.darkroom.outputs"
    return {
        "output": {
            to_snake_case(name): {
                "value": f'${{lookup({stack}, "{name}", null)}}',
                "description": one["Description"],
            }
            for name, one in outputs.items()
        }
    }


def _describe_variable(name: str, parameter: Mapping[str, Any]) -> dict[str, Any]:
    kind = {"Number": "number", "CommaDelimitedList": "list(string)"}.get(parameter["Type"], "string")
    variable = {"type": kind, "description": parameter["Description"], "nullable": False}
    if "Default" in parameter:
        default = parameter["Default"]
        variable["default"] = list(filter(None, default.split(","))) if _is_list(parameter) else default
    if parameter.get("NoEcho"):
        variable["sensitive"] = True
    message = escape(f"{name}: {parameter.get('ConstraintDescription', 'see the description').rstrip('.')}.")
    checks = list(_list_checks(f"var.{to_snake_case(name)}", parameter))
    if checks:
        variable["validation"] = [{"condition": f"${{{check}}}", "error_message": message} for check in checks]
    return variable


def _list_checks(variable: str, parameter: Mapping[str, Any]) -> Iterator[str]:
    """Yield expressions that hold for accepted values. A pattern of CloudFormation matches a whole value."""
    if "AllowedValues" in parameter:
        yield f"contains({escape(json.dumps(parameter['AllowedValues']))}, {variable})"
    if not _NOT_RE2.search(pattern := parameter.get("AllowedPattern", "(?=)")):
        whole = escape(json.dumps(f"^(?:{pattern})$", ensure_ascii=False))
        each = f"alltrue([for one in {variable} : can(regex({whole}, one))])"
        yield each if _is_list(parameter) else f"can(regex({whole}, {variable}))"
    for limit, expression in (("MinValue", f"{variable} >="), ("MaxValue", f"{variable} <=")):
        if limit in parameter:
            yield f"{expression} {parameter[limit]}"
    for limit, sign in (("MinLength", ">="), ("MaxLength", "<=")):
        if limit in parameter:
            yield f"length({variable}) {sign} {parameter[limit]}"


def escape(text: str) -> str:
    """Return a text for a template of Terraform that evaluates to it."""
    return text.replace("${", "$${").replace("%{", "%%{")


def write_python(template: Mapping[str, Any]) -> str:
    """Return the types of parameters and outputs for the construct in Python."""
    fields = "".join(
        f"    {to_snake_case(name)}: {_name_type(one, 'Literal[{}]', ', ', 'list[str]', 'int', 'str')}\n"
        f'    """{one["Description"]}"""\n'
        for name, one in template["Parameters"].items()
    )
    return (
        '"""Parameters and outputs of the template of the release. Generated."""\n\n'
        "from typing import Literal\n\nfrom typing_extensions import TypedDict\n\n"
        f"Output = Literal[{', '.join(json.dumps(name) for name in template['Outputs'])}]\n\n\n"
        f'class Parameters(TypedDict, total=False):\n    """All have defaults."""\n\n{fields}'
    )


def write_typescript(template: Mapping[str, Any]) -> str:
    """Return the types of parameters and outputs for the construct in TypeScript."""
    fields = "".join(
        f"  /** {one['Description']} */\n"
        f"  readonly {name[0].lower()}{name[1:]}?: {_name_type(one, '{}', ' | ', 'string[]', 'number', 'string')};\n"
        for name, one in template["Parameters"].items()
    )
    return (
        "// Parameters and outputs of the template of the release. Generated.\n\n"
        f"export type Output = {' | '.join(json.dumps(name) for name in template['Outputs'])};\n\n"
        f"export interface Parameters {{\n{fields}}}\n"
    )


def _name_type(parameter: Mapping[str, Any], literal: str, between: str, many: str, number: str, text: str) -> str:
    if values := parameter.get("AllowedValues"):
        return literal.format(between.join(json.dumps(value) for value in values))
    return {"Number": number, "CommaDelimitedList": many}.get(parameter["Type"], text)


def to_snake_case(name: str) -> str:
    """Return the name of a parameter or an output, as in ``DomainName``, as in ``domain_name``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _is_list(parameter: Mapping[str, Any]) -> bool:
    return bool(parameter["Type"] == "CommaDelimitedList")


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
