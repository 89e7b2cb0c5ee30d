"""What viewers of a read-only server may name: files of the library, and no other path of the machine."""

from __future__ import annotations

from collections.abc import Iterator

from pesearch.errors import QueryError
from pesearch.media.verified_file import open_indexed
from pesearch.search.query.language.nodes import Example, Literal, Node, Not, Words
from pesearch.search.query.language.parser import parse
from pesearch.store.library import Library


def ensure_library_examples(text: str, library: Library) -> None:
    """Check that the examples named in a query are files of the library, unchanged; nothing else is opened.

    Raises QueryError for another path, whether or not there is a file; MediaError; QuerySyntaxError.
    """
    examples = list(_examples(parse(text)))
    known = library.known() if examples else {}
    for example in examples:
        location = known.get(example.resolved_path)
        if location is None or location.file_id is None:
            raise QueryError(f"{example.path} is not a file of this library: upload a file to search with it")
        open_indexed(library.file(location.file_id)).close()


def _examples(node: Node) -> Iterator[Example]:
    match node:
        case Example():
            yield node
        case Words() | Literal():
            return
        case Not(part):
            yield from _examples(part)
        case _:
            for each in node.parts:
                yield from _examples(each)
