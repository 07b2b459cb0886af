"""JSON-LD nodes as Turtle (https://www.w3.org/TR/turtle/): the little of both that dcat.py uses.

A node is a dict with "@id" or none, "@type", and terms with a prefix; a value is a node, a reference {"@id"}, a literal {"@value"}
with "@language" or "@type", or a list of them. `rdflib` would write it too, and is larger than the whole api; so the tests alone
have it, and hold both forms beside each other.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

Node: TypeAlias = Mapping[str, Any]
UNSAFE = re.compile(r'[\x00-\x20<>"{}|^`\\]')  # none may stand in an IRI (IRIREF)


def as_turtle(prefixes: Mapping[str, str], nodes: Iterable[Node]) -> bytes:
    """`nodes` as one document."""
    head = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in prefixes.items())
    return (head + "".join(f"\n<{node['@id']}>\n    {_terms(node, 1)} .\n" for node in nodes)).encode()


def iri(text: str) -> str:
    """`text` with those characters escaped that would end an IRI."""
    return UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", text)


def _terms(node: Node, depth: int) -> str:
    terms = {term: value for term, value in node.items() if term != "@id" and value != []}
    told = [f"{'a' if term == '@type' else term} {_objects(value, depth)}" for term, value in terms.items()]
    return (" ;\n" + "    " * depth).join(told)


def _objects(value: Any, depth: int) -> str:
    values = value if isinstance(value, list) else [value]
    return ", ".join(_object(each, depth) for each in values)


def _object(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return value  # a type, by its prefix
    if "@value" in value:
        return _literal(value)
    if value.keys() == {"@id"}:
        return f"<{value['@id']}>"
    indent = "\n" + "    " * (depth + 1)
    return f"[{indent}{_terms(value, depth + 1)} ]"


def _literal(value: Node) -> str:
    quoted = msgspec.json.encode(value["@value"]).decode()  # JSON escapes as Turtle does
    if "@language" in value:
        return f"{quoted}@{value['@language']}"
    return f"{quoted}^^{value['@type']}" if "@type" in value else quoted
