"""The figures: `python -m figures` draws them, `python -m figures --list` describes them.

A figure is one module in theory/ or in experiments/, which train networks to test a statement of the paper. Its
docstring begins with a line that says what it shows, and it ends with `FIGURE`, a `figures.figure.Figure`; nothing
else has to know of it. What figures have in common: problems/ to solve, networks/ to train, measures/ of what came
out, style and panels to draw it; kept/ has what lies on disk, command/ the command line. Imports go downwards:

    command > theory, experiments > panels > problems, measures > networks > figure > kept, style
"""
