"""Python sources of the project's as syntax trees: what they bind, and whether our lines left them as they were."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where names are of their own: what is bound inside is not bound in the module.
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class Unparsable(ValueError):
    """The source is none that this Python can read; the text says where and why."""


@dataclass(frozen=True)
class Binding:
    """A name that a module binds, on a line of it; `module` is what `import module` with that name has imported."""

    name: str
    line: int
    module: str | None = None


def parse(source: bytes) -> ast.Module:
    """
    Parse a source as Python reads files: by its BOM or coding line.

    Raises:
        Unparsable: It is not Python, or newer than the Python that this is.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an invalid escape, say: not ours to complain about
            return ast.parse(source)
    except SyntaxError as error:
        place = f"line {error.lineno}: " if error.lineno else ""
        raise Unparsable(f"{place}{error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unparsable(str(error) or type(error).__name__) from error


def bindings(tree: ast.Module) -> Iterator[Binding]:
    """Yield each name the module itself binds, also inside its `if`, `try` and `with`."""
    todo: list[ast.AST] = list(reversed(tree.body))
    while todo:
        node = todo.pop()
        yield from _bound_by(node)
        if not isinstance(node, _SCOPES):
            todo.extend(reversed(list(ast.iter_child_nodes(node))))


def _bound_by(node: ast.AST) -> Iterator[Binding]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield Binding(node.name, node.lineno)
    elif isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname:
                yield Binding(alias.asname, node.lineno, alias.name)
            else:
                top = alias.name.partition(".")[0]
                yield Binding(top, node.lineno, top)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield Binding(alias.asname or alias.name, node.lineno, f"{node.module}.{alias.name}")
    elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
        yield Binding(node.id, node.lineno)
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield Binding(node.name, node.lineno)


def imports(tree: ast.Module, package: str) -> bool:
    """Tell whether the source imports from a package, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        if any(name == package or name.startswith(f"{package}.") for name in names):
            return True
    return False


def has_import(tree: ast.Module, module: str) -> bool:
    """Tell whether `import module` stands at the top level of the module, under no condition."""
    return any(
        isinstance(node, ast.Import)
        and any(alias.name == module and alias.asname in (None, module) for alias in node.names)
        for node in tree.body
    )


def uses(tree: ast.Module, name: str, *, behind_line: int) -> bool:
    """Tell whether the name is read anywhere behind a line of the source."""
    return any(
        isinstance(node, ast.Name)
        and node.id == name
        and isinstance(node.ctx, ast.Load)
        and node.lineno > behind_line
        for node in ast.walk(tree)
    )


def begins_with(merged: ast.Module, original: ast.Module) -> bool:
    """Tell whether every statement of the original is in the merged one: the same, in its place, before all others."""
    first = merged.body[: len(original.body)]
    return [_exactly(node) for node in first] == [_exactly(node) for node in original.body]


def _exactly(node: ast.AST) -> str:
    return ast.dump(node, include_attributes=True)


def without_import(lines: list[str], module: str) -> list[str]:
    """Return the source lines without the statement `import module` at their top level."""
    tree = ast.parse("\n".join(lines))
    for node in tree.body:
        if isinstance(node, ast.Import) and [alias.name for alias in node.names] == [module]:
            lines = lines[: node.lineno - 1] + lines[node.end_lineno or node.lineno :]
    while lines and not lines[0]:
        lines = lines[1:]
    return lines


def same_code(source: bytes, lines: list[str]) -> bool:
    """Tell whether two sources differ in nothing but layout."""
    try:
        return ast.dump(parse(source)) == ast.dump(ast.parse("\n".join(lines)))
    except Unparsable:
        return False
