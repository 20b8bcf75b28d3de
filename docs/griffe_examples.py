"""What the house's docstrings call `Example:` is the section `Examples:` of the tool that reads them."""

import re

import griffe


class Examples(griffe.Extension):
    """Code under it is shown as code, and not as a quotation."""

    def on_object(self, *, obj, **_) -> None:
        if obj.docstring:
            obj.docstring.value = re.sub(r"^(\s*)Example:$", r"\1Examples:", obj.docstring.value, flags=re.MULTILINE)
