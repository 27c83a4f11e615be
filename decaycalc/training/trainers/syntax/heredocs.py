"""Heredocs of a shell script, taken out of its text before it is read."""

import re

_HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_]\w*)\1")
_READ = re.compile(r"\s*read\s+(?:-r\s+|-r?d\s*(?:''|\"\")\s+)*([A-Za-z_]\w*)\s*")


def without_heredocs(text: str) -> str:
    """Return the text with the bodies of its heredocs blanked, so that lines keep their numbers.

    What `read` takes is a variable's text: `read -r -d '' NAME <<EOF` becomes its assignment.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    end, kept = "", False
    for at, line in enumerate(lines):
        if end:
            is_end = line.strip() == end
            end = "" if is_end else end
            text = '"' if is_end else line.replace('"', '\\"')
            lines[at] = text if kept else ""
        elif (match := _HEREDOC.search(line)) and not line.lstrip().startswith("#"):
            read = _READ.fullmatch(line[: match.start()])
            end, kept = match[2], read is not None
            lines[at] = line[: match.start()] if read is None else f'{read[1]}="'
    return "\n".join(lines)
