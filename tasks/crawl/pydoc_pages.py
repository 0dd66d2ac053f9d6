"""Documentation pages of this Python's standard library, as plain semantic HTML.

What `pydoc` knows of a module (its docstring, classes, functions and data) and of the language
reference's topics. Two things differ from pydoc's own HTML, which is laid out with tables and
repeats every inherited method in every subclass: headings, paragraphs and examples are marked up
as such, and a class or method is documented where it is defined and linked from elsewhere.

Equal Pythons give equal pages, whatever the machine: no memory address, no installation path, and
of a module's data only plain constants.
"""

import html
import importlib.util
import inspect
import pkgutil
import pydoc
import re
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

# Importing these opens a browser, prints, starts a program, or drags in test data.
REFUSED_TOP_LEVEL = frozenset({"antigravity", "this", "idlelib", "turtledemo", "test"})
REFUSED_PARTS = frozenset({"__main__", "__phello__", "__hello__", "test", "tests"})
MEMORY_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,16}")
UNDERLINED = re.compile(r"([^\n]+)\n([*=~^\"-])\2{2,}\s*")
MAX_VALUE_CHARS = 100


def is_refused(module: str) -> bool:
    """Whether the site keeps a module away from crawlers and never imports it."""
    parts = module.split(".")
    return parts[0] in REFUSED_TOP_LEVEL or not REFUSED_PARTS.isdisjoint(parts)


def top_level_modules() -> list[str]:
    """The standard library's top-level names that this installation has."""
    return [name for name in sorted(sys.stdlib_module_names) if is_installed(name)]


def is_installed(name: str) -> bool:
    """Whether a top-level module is there, without importing it."""
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # `__main__` has no spec
        return False


def topics() -> dict[str, str]:
    """The language reference's topics as plain text; none where Python comes without them."""
    if not is_installed("pydoc_data"):
        return {}
    from pydoc_data.topics import topics as found

    return dict(found)


def robots_txt() -> str:
    """What a polite crawler must leave alone: the refused modules, wherever they are linked."""
    hidden = [f"/{name}" for name in top_level_modules() if is_refused(name)]
    hidden += [f"/*.{part}" for part in sorted(REFUSED_PARTS)]
    rules = [f"Disallow: {path}{end}" for path in hidden for end in (".html", ".")]
    return "User-agent: *\n" + "\n".join(rules) + "\n"


# ---- text to HTML


def page(title: str, body: str) -> str:
    """A whole page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head>\n"
        f'<body><nav><a href="/">Standard library</a></nav>\n<main>\n{body}\n</main></body>\n'
        "</html>\n"
    )


def escape(text: str) -> str:
    """Text as HTML."""
    return html.escape(text, quote=False)


def link(path: str, text: str) -> str:
    """A link within the site."""
    return f'<a href="{html.escape(path)}">{escape(text)}</a>'


def listing(items: list[str]) -> str:
    """An unordered list of HTML items."""
    return "<ul>\n" + "\n".join(f"<li>{item}</li>" for item in items) + "\n</ul>\n"


def prose(text: str) -> str:
    r"""Plain documentation text: blocks that are indented or hold examples keep their lines.

    >>> print(prose("Add two\nnumbers.\n\n    >>> add(1, 2)\n    3"))
    <p>Add two
    numbers.</p>
    <pre>    &gt;&gt;&gt; add(1, 2)
        3</pre>
    """
    blocks = re.split(r"\n(?:[ \t]*\n)+", text.strip("\n"))
    return "\n".join(marked_up(block) for block in blocks if block.strip())


def marked_up(block: str) -> str:
    """One block of documentation text as a heading, an example or a paragraph."""
    if heading := UNDERLINED.fullmatch(block):
        return f"<h2>{escape(heading[1])}</h2>"
    return f"<pre>{escape(block)}</pre>" if is_literal(block) else f"<p>{escape(block)}</p>"


def is_literal(block: str) -> bool:
    """Whether line ends and indentation carry meaning in this block."""
    lines = block.split("\n")
    return any(line.startswith((" ", "\t", ">>>", "+-", "|")) for line in lines)


def docstring(thing: object) -> str:
    """What a thing's own docstring says, as HTML; "" without one."""
    doc = getattr(thing, "__doc__", None)
    return prose(inspect.cleandoc(doc)) if isinstance(doc, str) else ""


def signature(function: Callable[..., Any]) -> str:
    """The parameters in parentheses; `(...)` where Python does not know them."""
    try:
        return MEMORY_ADDRESS.sub("", str(inspect.signature(function)))
    except (ValueError, TypeError):
        return "(...)"


def constant(value: object) -> str:
    """A plain value as Python writes it; of anything else, and of long or path-like text, the type.

    >>> constant(80), constant({"PATH": "/bin"})
    ('80', 'dict')
    """
    plain = isinstance(value, int | float | str | bytes | bool | None)
    if isinstance(value, tuple | list):
        plain = all(isinstance(item, int | float | str | bool | None) for item in value)
    text = repr(value) if plain else ""
    if not text or len(text) > MAX_VALUE_CHARS or "/" in text or "\\\\" in text:
        return type(value).__name__
    return text


# ---- pages


def index_page() -> str:
    """The front page: every module and topic, refused ones included: robots.txt names those."""
    modules = [link(f"/{name}.html", name) for name in top_level_modules()]
    subjects = [link(f"/topics/{name}.html", name) for name in sorted(topics())]
    return page(
        "The Python standard library",
        "<h1>The Python standard library</h1>\n"
        f"<h2>Modules</h2>\n{listing(modules)}<h2>Topics</h2>\n{listing(subjects)}",
    )


def topic_page(name: str) -> str:
    """One topic of the language reference; a KeyError when there is no such topic."""
    return page(name, f"<h1>{escape(name)}</h1>\n{prose(topics()[name])}")


def module_page(name: str) -> str:
    """One module's page; a KeyError when there is no such module."""
    module = imported(name)
    sections = [
        ("Modules", submodules(module)),
        ("Classes", "".join(class_section(module, item) for item in classes(module))),
        ("Functions", "".join(function_section(*item) for item in functions(module))),
        ("Data", listing(data(module)) if data(module) else ""),
    ]
    body = "".join(f"<h2>{title}</h2>\n{content}" for title, content in sections if content)
    synopsis = pydoc.splitdoc(inspect.getdoc(module) or "")[0]
    title = f"{name} - {synopsis}" if synopsis else name
    return page(title, f"<h1>{escape(name)}</h1>\n{docstring(module)}\n{body}")


def imported(name: str) -> ModuleType:
    """A module; a KeyError when there is none, `pydoc.ErrorDuringImport` when it is broken."""
    try:
        found = pydoc.safeimport(name)
    except pydoc.ErrorDuringImport as error:
        missing = error.value
        if isinstance(missing, ModuleNotFoundError) and f"{name}.".startswith(f"{missing.name}."):
            raise KeyError(name) from None
        raise
    # A package may call something else by its module's name: `unittest.main` is a class.
    module = sys.modules.get(name, found)
    if not isinstance(module, ModuleType):
        raise KeyError(name)
    return module


def visible(module: ModuleType, wanted: Callable[[Any], bool]) -> Iterator[tuple[str, Any]]:
    """The public members of one kind: those in `__all__`, or what is no private name."""
    public = getattr(module, "__all__", None)
    for name, value in inspect.getmembers(module, wanted):
        if pydoc.visiblename(name, public, module):
            yield name, value


def submodules(module: ModuleType) -> str:
    """Links to a package's modules."""
    found = sorted(entry.name for entry in pkgutil.iter_modules(getattr(module, "__path__", [])))
    return (
        listing([link(f"/{module.__name__}.{name}.html", name) for name in found]) if found else ""
    )


def is_at_home(module: ModuleType, thing: Any) -> bool:
    """Whether this page documents a thing: it is defined here, or in a private module behind."""
    home = getattr(thing, "__module__", None) or module.__name__
    return home == module.__name__ or home.rpartition(".")[2].startswith("_") or home == "builtins"


def classes(module: ModuleType) -> list[type]:
    """The classes that a module defines or offers, by name."""
    return [
        value
        for _, value in visible(module, inspect.isclass)
        if hasattr(module, "__all__") or value.__module__ == module.__name__
    ]


def class_section(module: ModuleType, cls: type) -> str:
    """A class with its own methods; inherited ones are on the page of the base."""
    name = cls.__qualname__
    if not is_at_home(module, cls):
        where = link(f"/{cls.__module__}.html", cls.__module__)
        return f"<h3>class {escape(name)}</h3>\n<p>Defined in {where}.</p>\n"
    bases = ", ".join(
        link(f"/{base.__module__}.html", base.__qualname__)
        for base in cls.__bases__
        if base is not object
    )
    parts = [f"<h3>class {escape(name)}{escape(signature(cls))}</h3>\n"]
    if bases:
        parts.append(f"<p>A subclass of {bases}.</p>\n")
    parts.append(docstring(cls) + "\n")
    for key, value in sorted(vars(cls).items()):
        if pydoc.visiblename(key, obj=cls):
            parts.append(member_section(name, key, value))
    return "".join(parts)


def member_section(owner: str, name: str, value: Any) -> str:
    """One documented method or property of a class; nothing for what has no docstring."""
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    text = docstring(value)
    if not text or not (inspect.isroutine(value) or inspect.isdatadescriptor(value)):
        return ""
    parameters = signature(value) if inspect.isroutine(value) else ""
    return f"<h4>{escape(f'{owner}.{name}{parameters}')}</h4>\n{text}\n"


def functions(module: ModuleType) -> list[tuple[str, Any]]:
    """The functions that a module defines, by name."""
    return [item for item in visible(module, inspect.isroutine) if is_at_home(module, item[1])]


def function_section(name: str, function: Any) -> str:
    """One function."""
    return f"<h3>{escape(name + signature(function))}</h3>\n{docstring(function)}\n"


def data(module: ModuleType) -> list[str]:
    """The module's constants, `name = value`."""
    return [
        f"<code>{escape(f'{name} = {constant(value)}')}</code>"
        for name, value in visible(module, pydoc.isdata)
    ]
