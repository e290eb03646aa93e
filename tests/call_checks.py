"""Check of code without running it: do the names, attributes and arguments of keras_tl exist?"""

import ast
import builtins
import dataclasses
import functools
import inspect
import re
import types
import typing

import keras_tl as ktl


@dataclasses.dataclass(frozen=True)
class Instance:
    """An object of a class of keras_tl."""

    cls: type


@dataclasses.dataclass(frozen=True)
class Method:
    """A function of a class. `bound`: its first argument is given. `owner`: the class."""

    function: typing.Any
    bound: bool
    owner: type


def is_ours(found):
    return (getattr(found, "__module__", None) or "").split(".")[0] == "keras_tl"


def attribute(base, name):
    """Return the meaning of `base.name`. `None`: not known here.

    Raises:
        AttributeError: `base` has no such attribute.
    """
    if isinstance(base, types.ModuleType):
        found = getattr(base, name)
        return found if isinstance(found, types.ModuleType) or is_ours(found) else None
    if not isinstance(base, (type, Instance)):
        return None
    of_object = isinstance(base, Instance)
    cls = base.cls if of_object else base
    found = inspect.getattr_static(cls, name, None)
    if isinstance(found, (property, functools.cached_property)):
        getter = found.fget if isinstance(found, property) else found.func
        return result(getter, cls) if of_object else None
    if isinstance(found, (classmethod, staticmethod)):
        return Method(found.__func__, isinstance(found, classmethod), cls)
    if found is None:
        check_attribute(cls, name)
    return Method(found, of_object, cls) if inspect.isfunction(found) else None


def check_attribute(cls, name):
    """Raise an `AttributeError` if neither the class nor its methods set an attribute."""
    for base in cls.__mro__:
        if name in vars(base) or name in inspect.get_annotations(base):
            return
        if is_ours(base) and re.search(rf"\bself\.{name}\b.* = ", inspect.getsource(base)):
            return
    raise AttributeError(f"{cls.__name__} has no attribute {name}")


def result(function, owner=None):
    """Return the meaning of a function's result, from its annotation. `None`: not known here."""
    if isinstance(function, type):
        return Instance(function)
    if isinstance(function, Method):
        function, owner = function.function, function.owner
    found = getattr(function, "__annotations__", {}).get("return")
    if isinstance(found, str):
        try:
            found = eval(found, vars(inspect.getmodule(function)))
        except NameError:  # imported for type checkers only
            return None
    if found is typing.Self:
        found = owner
    return Instance(found) if isinstance(found, type) and is_ours(found) else None


def accepted(parameter):
    """Return the keywords that `**options: Unpack[SomeTypedDict]` accepts. `None`: all keywords."""
    if typing.get_origin(parameter.annotation) is not typing.Unpack:
        return None
    (fields,) = typing.get_args(parameter.annotation)
    return fields.__required_keys__ | fields.__optional_keys__


def check_arguments(function, call, whole=True):
    """Raise a `TypeError` if a function does not take the arguments of a call.

    `whole`: the call has all its arguments. In prose, `...` stands for further arguments.
    """
    found = function.function if isinstance(function, Method) else function
    signature = inspect.signature(found)
    given = [None] * (isinstance(function, Method) and function.bound)
    given += [None for one in call.args if not is_more(one)]
    keywords = {one.arg: None for one in call.keywords if one.arg is not None}
    if any(map(is_more, call.args)) or len(keywords) < len(call.keywords):
        whole = False
    (signature.bind if whole else signature.bind_partial)(*given, **keywords)
    for parameter in signature.parameters.values():
        known = accepted(parameter) if parameter.kind is parameter.VAR_KEYWORD else None
        unknown = {*keywords} - {*signature.parameters} - (known or set())
        if known is not None and unknown:
            raise TypeError(f"got an unexpected keyword argument {sorted(unknown)}")


def is_more(node):
    return isinstance(node, ast.Starred) or (isinstance(node, ast.Constant) and node.value is ...)


class CodeChecker(ast.NodeVisitor):
    """Follows the names of keras_tl through code, block after block.

    Args:
        names: Meanings of names at the start.
        whole: Calls have all their arguments.

    `checked` counts the calls of keras_tl.
    """

    def __init__(self, names=(), whole=True):
        self.names = dict(names)
        self.whole = whole
        self.checked = 0

    def meaning(self, node):
        """Check an expression, and return its meaning. `None`: not known here."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self.meaning(node.value)
            return None if base is None else attribute(base, node.attr)
        if isinstance(node, ast.Call):
            function = self.meaning(node.func)
            for child in (*node.args, *node.keywords):
                self.visit(child)
            callable_here = isinstance(function, (Method, type, types.FunctionType))
            if function is None or not callable_here:
                return None
            try:
                check_arguments(function, node, self.whole)
            except TypeError as error:
                raise TypeError(f"{ast.unparse(node)}: {error}") from error
            self.checked += 1
            return result(function)
        for child in ast.iter_child_nodes(node):
            self.visit(child)
        return None

    def visit(self, node):
        if isinstance(node, ast.expr):
            self.meaning(node)
        else:
            super().visit(node)

    def visit_Import(self, node):
        for alias in node.names:
            name = alias.asname or alias.name.split(".")[0]
            self.names[name] = ktl if alias.name == "keras_tl" else None

    def visit_ImportFrom(self, node):
        for alias in node.names:
            ours = ktl if node.module == "keras_tl" else None
            self.names[alias.asname or alias.name] = ours and attribute(ours, alias.name)

    def visit_Assign(self, node):
        found = self.meaning(node.value)
        for target in node.targets:
            self.bind(target, found)

    def visit_For(self, node):
        self.meaning(node.iter)
        self.bind(node.target, None)
        for child in (*node.body, *node.orelse):
            self.visit(child)

    def visit_withitem(self, node):
        found = self.meaning(node.context_expr)
        if node.optional_vars is not None:
            enter = isinstance(found, Instance) and attribute(found, "__enter__")
            self.bind(node.optional_vars, result(enter) if isinstance(enter, Method) else None)

    def bind(self, target, found):
        if isinstance(target, ast.Name):
            self.names[target.id] = found
            return
        for name in ast.walk(target):
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                self.names[name.id] = None


def undefined(sources):
    """Return the names that code reads and that no earlier line, block or function defines."""
    known, found = {*dir(builtins)}, []
    for source in sources:
        tree = ast.parse(source)
        inside = {
            id(child)
            for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.Lambda))
            for child in ast.walk(node)
        }
        nodes = [*ast.walk(tree)]
        # Functions read the names of the module when somebody calls them: all names of the block.
        stored = {*map(name_of, nodes)} - {None}
        for statement in tree.body:
            own = {*map(name_of, ast.walk(statement))} - {None}
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    names = known | (stored if id(node) in inside else loop_names(statement))
                    if node.id not in names:
                        found.append(node.id)
            known |= own
    return found


def loop_names(statement):
    """The names that a statement with a body or a comprehension defines for its own parts."""
    simple = isinstance(statement, (ast.Assign, ast.Expr, ast.AugAssign))
    parts = (
        [one for node in ast.walk(statement) for one in getattr(node, "generators", ())]
        if simple
        else [statement]
    )
    return {name_of(node) for part in parts for node in ast.walk(part)} - {None}


def name_of(node):
    """The name that a node defines, `None` if it defines no name."""
    if isinstance(node, ast.Name):
        return node.id if isinstance(node.ctx, ast.Store) else None
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return node.name
    if isinstance(node, ast.alias):
        return (node.asname or node.name).split(".")[0]
    if isinstance(node, ast.arg):
        return node.arg
    return node.name if isinstance(node, ast.ExceptHandler) else None
