"""
The exported value of a configuration in JavaScript or TypeScript, put through a function of ours.

Places are found in the syntax tree; every other byte stays. `unwrapped` takes out what `wrapped` put in.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from crossbridge.orchestration import block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Parser

FUNCTION = "withCrossbridge"

_NAME = FUNCTION.encode()
_BOM = b"\xef\xbb\xbf"
_NO_VALUES = (
    "function_expression",
    "function_declaration",
    "generator_function",
    "class",
    "class_declaration",
)
_BY_HAND = "Wrap what it exports by hand: withCrossbridge(config), from"


class Unwrappable(ValueError):
    """The source is none that can be edited safely; the text says why, and follows on the file's name."""


@cache
def _parser() -> Parser:
    import tree_sitter_typescript  # noqa: PLC0415  (megabytes that only these projects need)
    from tree_sitter import Language, Parser  # noqa: PLC0415

    return Parser(Language(tree_sitter_typescript.language_typescript()))


class _Source:
    """A source with its tree. The grammar is TypeScript's, of which JavaScript is a part."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._shift = len(_BOM) if content.startswith(_BOM) else 0
        self.root = _parser().parse(content[self._shift :]).root_node
        if self.root.has_error:
            raise Unwrappable("cannot be parsed as JavaScript or TypeScript. Mend it first.")

    def span(self, node: Node) -> tuple[int, int]:
        return node.start_byte + self._shift, node.end_byte + self._shift

    def default_export(self) -> Node | None:
        """Return the statement `export default ...`."""
        for node in self.root.children:
            if node.type == "export_statement" and any(child.type == "default" for child in node.children):
                return node
        return None

    def assigns_module_exports(self) -> bool:
        statements = (node for node in self.root.children if node.type == "expression_statement")
        return any(
            child.type == "assignment_expression"
            and _text(child.child_by_field_name("left")) == b"module.exports"
            for node in statements
            for child in node.children
        )

    def wrapper(self) -> tuple[Node, Node] | None:
        """Return the call of our function that is exported by default, and the one value it is given."""
        export = self.default_export()
        call = export and export.child_by_field_name("value")
        if not call or call.type != "call_expression" or _text(call.child_by_field_name("function")) != _NAME:
            return None
        arguments = call.child_by_field_name("arguments")
        values = (
            [] if arguments is None else [one for one in arguments.named_children if one.type != "comment"]
        )
        return (call, values[0]) if len(values) == 1 else None

    def names_ours(self) -> bool:
        return any(node.type == "identifier" and node.text == _NAME for node in _all(self.root))

    def imports(self, module: str) -> bool:
        return any(
            node.type == "string_fragment" and node.text == module.encode() for node in _all(self.root)
        )

    def line_behind_imports(self) -> int | None:
        """Return the byte where the line after the last import begins; nothing where no line can stand there."""
        imports = [node for node in self.root.children if node.type == "import_statement"]
        if not imports:
            return None
        end = self.content.find(b"\n", self.span(imports[-1])[1])
        if end < 0 or any(self.span(node)[0] <= end < self.span(node)[1] for node in self.root.children):
            return None
        return end + 1


def _text(node: Node | None) -> bytes:
    return (node.text if node else b"") or b""


def _all(node: Node) -> Iterator[Node]:
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(node.children)


def wrapped(content: bytes, module: str) -> bytes:
    """
    Return the source with its exported value passed through `withCrossbridge`, which `module` exports.

    Raises:
        Unwrappable: What it exports is not to be seen, or it has the name for something else.
        block.BrokenMarks: One of our marks is missing.
    """
    there = block.find(content, block.SLASHES)
    source = _Source(content)
    if there is not None:
        if source.wrapper() or source.default_export() is None:
            return content
        content = unwrapped(content) or b""
        source = _Source(content)
    if source.imports(module):
        return content  # by hand
    if source.names_ours():
        raise Unwrappable(f"gives the name {FUNCTION} to something else than CrossBridge's. Rename it.")
    export = source.default_export()
    if export is not None:
        return _with_import(source, export, module)
    if source.assigns_module_exports():
        line = f"module.exports = require('{module}').{FUNCTION}(module.exports);"
        return block.insert(content, [line], style=block.SLASHES)
    raise Unwrappable(f"exports nothing by 'export default' or 'module.exports ='. {_BY_HAND} {module}.")


def _with_import(source: _Source, export: Node, module: str) -> bytes:
    value = export.child_by_field_name("value")
    if value is None or value.type in _NO_VALUES:
        raise Unwrappable(f"exports a function or class. {_BY_HAND} {module}.")
    content = source.content
    begin, end = source.span(value)
    body = content[:begin] + _NAME + b"(" + content[begin:end] + b")" + content[end:]
    lines = [f"import {{ {FUNCTION} }} from '{module}';"]
    at = source.line_behind_imports()
    if at is None or at > begin:
        return block.insert(body, lines, style=block.SLASHES)
    return block.insert_at(body, at, lines, block.SLASHES)


def unwrapped(content: bytes) -> bytes | None:
    """
    Return the source as it was before `wrapped`; None when we made it.

    Raises:
        Unwrappable: Somebody uses our function in a way of their own.
        block.BrokenMarks: One of our marks is missing.
    """
    there = block.find(content, block.SLASHES)
    if there is None:
        return content
    source = _Source(content)
    if found := source.wrapper():
        (begin, end), (first, last) = source.span(found[0]), source.span(found[1])
        content = content[:begin] + content[first:last] + content[end:]
        there = block.find(content, block.SLASHES)
    rest = block.remove(there) if there else content
    if rest is not None and _Source(rest).names_ours():
        raise Unwrappable(
            f"uses {FUNCTION} in a way that 'crossbridge init' did not write. Take it out by hand."
        )
    return rest
