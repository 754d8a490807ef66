"""The texts of a domain as documents: without repetitions, in groups, each on one side."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from phasezoo.data.python_text.standard_library import Module, modules
from phasezoo.data.text_pydoc import Manual, divided, sides, without_repetitions
from phasezoo.spec.labelled_text import MODULE_GROUPS, Domain
from phasezoo.vocabulary import Split

# Topics of help() about the things that Python programs handle; the others are about its syntax.
_OBJECTS = """
    attribute-access bltin-code-objects bltin-ellipsis-object bltin-null-object bltin-type-objects
    callable-types context-managers customization dict formatstrings mapping-types numeric-types
    objects sequence-types specialattrs specialnames string-methods types typesfunctions
    typesmapping typesmethods typesmodules typesseq typesseq-mutable
"""


@dataclass(frozen=True)
class Document:
    """A text of one author's hand: a topic, or a module."""

    name: str
    group: int
    text: str
    side: Split


@dataclass(frozen=True)
class Documents:
    """The documents of a domain in the order of their names, and the tokens of bytes."""

    documents: tuple[Document, ...]
    manual: Manual

    @property
    def sha256(self) -> str:
        """Checksum of the texts by name and of the bytes that tokens stand for."""
        told = [{d.name: d.text for d in self.documents}, self.manual.byte.tolist()]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@functools.cache
def documents(domain: Domain, split_seed: int) -> Documents:
    """The documents of a domain on their sides.

    Topics lie where `pydoc` has them. A module lies on one side with its docstrings and its code:
    a fifth of the bytes of each group is tested on. No paragraph is in two documents of any
    domain, whatever its white space; of equal ones the topic's is kept, else the longest text's.

    Raises:
        CorpusError: the standard library is not whole.
    """
    manual = divided(split_seed)
    found = _topics(manual) if domain == "help" else _modules(domain, split_seed, manual)
    return Documents(tuple(found), manual)


def _topics(manual: Manual) -> list[Document]:
    tested, objects = set(manual.test), set(_OBJECTS.split())
    return [
        Document(name, int(name in objects), text, Split(number in tested))
        for number, (name, text) in enumerate(manual.texts.items())
    ]


def _modules(domain: Domain, split_seed: int, manual: Manual) -> list[Document]:
    library = modules()
    texts = {f"code {name}": module.code for name, module in library.items()}
    texts |= {f"docstrings {name}": module.docstrings for name, module in library.items()}
    own = without_repetitions(texts, of=manual.texts.values())
    tested = _tested(library, split_seed)
    return [
        Document(name, module.group, own[key], Split(name in tested))
        for name, module in library.items()
        if (key := f"{domain} {name}") in own
    ]


def _tested(library: Mapping[str, Module], split_seed: int) -> set[str]:
    """Names of the modules on the test side: in each group as many bytes as fit into its share."""
    tested = set()
    for group, of in enumerate(MODULE_GROUPS):
        names = [name for name, module in library.items() if module.group == group]
        _, test = sides([library[n].size for n in names], split_seed, ("python-text", of))
        tested |= {names[number] for number in test}
    return tested
